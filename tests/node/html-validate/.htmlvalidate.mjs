export default {
  root: true,
  extends: ["html-validate:standard", "html-validate:document", "html-validate:a11y"],
  rules: {
    // Our own files need no checksum in the page: they come with it.
    "require-sri": ["error", { target: "crossorigin" }],
    // A region that scrolls, such as the map, is no section of the text.
    "prefer-native-element": ["error", { exclude: ["region"] }],
  },
};
