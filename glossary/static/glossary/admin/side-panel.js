/* Fills the import panel of a term's editor when it is opened for the first time. */
(() => {
  const fill = async (place) => {
    if (place.dataset.glossaryLoaded) return;
    place.dataset.glossaryLoaded = "true";
    try {
      const response = await fetch(place.dataset.glossaryPanel, {
        headers: { "X-Requested-With": "XMLHttpRequest" },
      });
      if (!response.ok) throw new Error(response.statusText);
      place.innerHTML = await response.text();
    } catch {
      // The link that stands there leads to the same.
      delete place.dataset.glossaryLoaded;
    }
  };

  const watch = () => {
    document.querySelectorAll("[data-glossary-panel]").forEach((place) => {
      const panel = place.closest("[data-side-panel]");
      panel.addEventListener("show", () => fill(place));
      if (!panel.hidden) fill(place);
    });
  };

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", watch);
  } else {
    watch();
  }
})();
