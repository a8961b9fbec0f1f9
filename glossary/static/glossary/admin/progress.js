/* Asks again and again how far a run is. Without it, the page has a link to refresh. */
(() => {
  const INTERVAL = 2000; // milliseconds
  const section = document.querySelector("[data-glossary-progress]");
  if (!section) return;
  const bar = section.querySelector("[data-glossary-bar]");
  const text = section.querySelector("[data-glossary-text]");

  const show = (progress) => {
    if (bar && progress.total) {
      bar.max = progress.total;
      bar.value = progress.done;
    }
    // A screen reader says each change: none is made where nothing has changed.
    if (bar && text.textContent !== progress.text) text.textContent = progress.text;
  };

  const shown = section.dataset.glossaryStatus;
  const ask = async () => {
    try {
      const response = await fetch(section.dataset.glossaryProgress, {
        headers: { "X-Requested-With": "XMLHttpRequest" },
      });
      if (!response.ok) return; // signed out, for one: the link says so
      const progress = await response.json();
      if (!progress.goes_on || progress.status !== shown) {
        window.location.reload();
        return;
      }
      show(progress);
    } catch {
      // The network is away for a moment.
    }
    window.setTimeout(ask, INTERVAL);
  };

  window.setTimeout(ask, INTERVAL);
})();
