/*
What scripts add to the glossary's pages: suggestions under the search field, all answers
opened at once, links and definitions copied. Every page works without it.

Its words come from <template> elements, in the language of the page.
*/
"use strict";

(() => {
  // A page may load it more than once.
  if (document.documentElement.hasAttribute("data-glossary-script")) return;
  document.documentElement.setAttribute("data-glossary-script", "");

  const SHORTEST = 2; // a text is suggested for
  const PAUSE = 120; // milliseconds without a key

  const texts = (template) => {
    const found = {};
    template?.content.querySelectorAll("[data-name]").forEach((item) => {
      found[item.dataset.name] = item.textContent;
    });
    return found;
  };

  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  /* A text that screen readers say when it changes. */
  const makeStatus = (parent) => {
    const status = make("div", { role: "status", class: "glossary-hidden" });
    parent.append(status);
    return (text) => {
      status.textContent = text;
    };
  };

  /* The combobox of the ARIA authoring practices: a list of suggestions, chosen by hand. */
  class SearchField {
    constructor(form) {
      this.form = form;
      this.input = form.elements.q;
      this.texts = texts(form.querySelector("template"));
      this.known = new Map();
      this.active = -1;
      this.list = make("ul", {
        role: "listbox",
        id: `${this.input.id}-list`,
        class: "glossary-search__list",
        "aria-label": this.texts.list,
        hidden: "",
      });
      this.input.after(this.list);
      this.say = makeStatus(form);
      for (const [key, value] of Object.entries({
        role: "combobox",
        "aria-autocomplete": "list",
        "aria-controls": this.list.id,
        "aria-expanded": "false",
      })) {
        this.input.setAttribute(key, value);
      }
      this.input.addEventListener("input", (event) => {
        if (event.isComposing) return;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.suggest(), PAUSE);
      });
      this.input.addEventListener("keydown", (event) => this.press(event));
      this.input.addEventListener("blur", () => this.close());
      // The field keeps the focus while a suggestion is clicked.
      this.list.addEventListener("pointerdown", (event) => event.preventDefault());
      this.list.addEventListener("click", (event) => {
        const option = event.target.closest("[role=option]");
        if (option) this.choose(option);
      });
    }

    get options() {
      return [...this.list.children];
    }

    get isOpen() {
      return !this.list.hidden;
    }

    async suggest() {
      const text = this.input.value.trim();
      this.request?.abort();
      if (text.length < SHORTEST) {
        this.close();
        return;
      }
      let found = this.known.get(text);
      if (!found) {
        const request = new AbortController();
        this.request = request;
        try {
          const address = new URL(this.form.action);
          address.searchParams.set("suggest", text);
          const response = await fetch(address, { signal: request.signal });
          if (!response.ok) throw new Error(response.status);
          found = (await response.json()).suggestions;
        } catch {
          // Overtaken, or not to be had: the field still searches.
          if (!request.signal.aborted) this.close();
          return;
        }
        this.known.set(text, found);
      }
      if (this.input.value.trim() === text && document.activeElement === this.input) {
        this.open(text, found);
      }
    }

    open(text, found) {
      const options = found.map((item) => {
        const option = make("li", { role: "option", "data-url": item.url }, item.name);
        if (item.title) {
          option.append(" ", make("span", { class: "glossary-search__leads" }, `(${item.title})`));
        }
        return option;
      });
      options.push(make("li", { role: "option" }, this.texts.all.replace("#", () => text)));
      options.forEach((option, number) => {
        option.id = `${this.list.id}-${number}`;
        option.setAttribute("aria-selected", "false");
      });
      this.list.replaceChildren(...options);
      this.list.hidden = false;
      this.input.setAttribute("aria-expanded", "true");
      this.activate(-1);
      const { none, some } = this.texts;
      this.say(found.length ? some.replace("#", found.length) : none);
    }

    close() {
      this.list.hidden = true;
      this.input.setAttribute("aria-expanded", "false");
      this.activate(-1);
      this.say("");
    }

    activate(number) {
      this.active = number;
      this.options.forEach((option, at) => {
        option.setAttribute("aria-selected", String(at === number));
      });
      const option = this.options[number];
      if (option) {
        this.input.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      } else {
        this.input.removeAttribute("aria-activedescendant");
      }
    }

    press(event) {
      if (event.isComposing) return; // the keys choose a character
      const count = this.options.length;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (!this.isOpen) {
          this.suggest();
        } else if (!event.altKey) {
          // The field itself stands between the last suggestion and the first.
          const step = event.key === "ArrowDown" ? 1 : -1;
          this.activate(((this.active + 1 + step + count + 1) % (count + 1)) - 1);
        } else if (event.key === "ArrowUp") {
          this.close();
        }
      } else if (event.key === "Enter" && this.isOpen && this.active >= 0) {
        event.preventDefault();
        this.choose(this.options[this.active]);
      } else if (event.key === "Escape") {
        // An empty field leaves the key to what is around it.
        if (!this.isOpen && !this.input.value) return;
        if (this.isOpen) this.close();
        else this.input.value = "";
        event.preventDefault();
      }
    }

    choose(option) {
      if (option.dataset.url) {
        location.assign(option.dataset.url);
        return;
      }
      const address = new URL(this.form.action);
      address.search = new URLSearchParams({ q: this.input.value, all: "1" });
      location.assign(address);
    }
  }

  document.querySelectorAll("[data-glossary-search]").forEach((form) => new SearchField(form));

  /* --- A term */

  const words = texts(document.querySelector("[data-glossary-term-texts]"));
  const article = document.querySelector(".glossary-term");
  if (!article || !words.open) return;
  const say = makeStatus(article);
  const makeButton = (text) => make("button", { type: "button", class: "glossary-button" }, text);

  const copy = async (text, done) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return false; // the browser does not allow it
    }
    say("");
    setTimeout(() => say(done), 50);
    return true;
  };

  const definition = article.querySelector("[data-glossary-definition]");
  if (definition && navigator.clipboard) {
    const button = makeButton(words.quote);
    button.addEventListener("click", async () => {
      const address = document.querySelector("link[rel=canonical]")?.href ?? location.href;
      const text = definition.textContent.replace(/\s+/g, " ").trim();
      if (!(await copy(`${text}\n${address}`, words.quoted))) return;
      button.textContent = words.quoted;
      setTimeout(() => (button.textContent = words.quote), 2000);
    });
    definition.after(make("div", { class: "glossary-tools" }, button));
  }

  // The link still goes there: only its address is copied as well.
  article.addEventListener("click", (event) => {
    const anchor = event.target.closest(".glossary-anchor");
    if (anchor && navigator.clipboard) copy(anchor.href, words.link);
  });

  const questions = article.querySelector("[data-glossary-questions]");
  const details = questions ? [...questions.querySelectorAll("details")] : [];
  const areOpen = () => details.every((item) => item.open);
  if (details.length > 1) {
    const button = makeButton(words.open);
    const name = () => (button.textContent = areOpen() ? words.close : words.open);
    button.addEventListener("click", () => {
      const open = !areOpen();
      details.forEach((item) => (item.open = open));
    });
    questions.addEventListener("toggle", name, true);
    questions.before(make("div", { class: "glossary-tools" }, button));
  }

  const openAimed = () => {
    const aimed = details.find((item) => item.id && `#${item.id}` === location.hash);
    if (aimed) aimed.open = true;
  };
  addEventListener("hashchange", openAimed);
  openAimed();

  // For browsers whose style sheets cannot open them on paper.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = details.filter((item) => !item.open);
    closed.forEach((item) => (item.open = true));
  });
  addEventListener("afterprint", () => closed.forEach((item) => (item.open = false)));
})();
