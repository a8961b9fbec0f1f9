export default defineNuxtConfig({
  compatibilityDate: "2026-11-01",
  css: ["~/assets/main.css"],
  devtools: { enabled: false },
  telemetry: false,
  typescript: { strict: true },
  // NUXT_PUBLIC_GLOSSARY_API in the environment says otherwise, also after the build.
  runtimeConfig: { public: { glossaryApi: "http://localhost:8000/api/glossary/v1" } },
  app: {
    head: {
      htmlAttrs: { lang: "en" },
      titleTemplate: "%s · Glossary",
      link: [{ rel: "icon", href: "data:," }],
    },
  },
})
