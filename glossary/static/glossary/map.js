// The map of a glossary: larger and smaller, and what a term is related to. The picture
// grows inside a region that scrolls, so that keys, touch and scrollbars move it as they
// move anything else. Nothing here moves by itself.
for (const figure of document.querySelectorAll(".glossary-map__figure")) {
  const controls = figure.querySelector(".glossary-map__controls");
  const region = figure.querySelector(".glossary-map__region");
  const picture = region.querySelector("svg");
  const lit = picture.querySelector(".glossary-map__lit");
  const LARGEST = 8;
  const NEAR = "glossary-map__node--near";
  let zoom = 1;
  let width = 0;

  // Show the picture so many times as large; what is at this place of the region stays.
  function zoomTo(wanted, x = region.clientWidth / 2, y = region.clientHeight / 2) {
    const next = Math.min(LARGEST, Math.max(1, wanted));
    if (next === zoom) return;
    if (zoom === 1) {
      width = picture.getBoundingClientRect().width;
      region.style.blockSize = `${region.offsetHeight}px`;
    }
    const left = ((region.scrollLeft + x) * next) / zoom - x;
    const top = ((region.scrollTop + y) * next) / zoom - y;
    zoom = next;
    picture.style.inlineSize = zoom > 1 ? `${width * zoom}px` : "";
    picture.style.setProperty("--map-zoom", zoom);
    picture.dataset.zoom = [8, 4, 2, 1].find((step) => step <= zoom + 0.01);
    region.classList.toggle("glossary-map__region--larger", zoom > 1);
    if (zoom === 1) region.style.blockSize = "";
    region.scrollTo({ left, top, behavior: "instant" });
    showLimits();
  }

  function showLimits() {
    for (const button of controls.children) {
      const isAtEnd = button.dataset.by > 1 ? zoom === LARGEST : zoom === 1;
      button.setAttribute("aria-disabled", isAtEnd);
    }
  }

  const placeIn = (event) => {
    const box = region.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  controls.hidden = false;
  showLimits();
  controls.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) zoomTo(zoom * button.dataset.by);
  });

  region.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { "+": 2, "=": 2, "-": 0.5, 0: 0 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    zoomTo(zoom * by);
  });

  region.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoomTo(zoom * Math.exp(-event.deltaY / 150), ...placeIn(event));
    },
    { passive: false },
  );

  // Two fingers.
  let pinch = null;
  const between = ([one, other]) => ({
    far: Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY),
    clientX: (one.clientX + other.clientX) / 2,
    clientY: (one.clientY + other.clientY) / 2,
  });
  region.addEventListener("touchstart", ({ touches }) => {
    pinch = touches.length === 2 ? { zoom, far: between(touches).far } : null;
  });
  region.addEventListener(
    "touchmove",
    (event) => {
      if (!pinch || event.touches.length !== 2) return;
      event.preventDefault();
      const now = between(event.touches);
      zoomTo((pinch.zoom * now.far) / pinch.far, ...placeIn(now));
    },
    { passive: false },
  );

  // Dragging with a mouse; a link that was dragged is not followed.
  let drag = null;
  let isDragged = false;
  region.addEventListener("dragstart", (event) => event.preventDefault());
  region.addEventListener("pointerdown", (event) => {
    isDragged = false;
    if (event.pointerType !== "mouse" || event.button || zoom === 1) return;
    const [x, y] = placeIn(event);
    if (x < region.clientWidth && y < region.clientHeight) {
      drag = { x: event.clientX + region.scrollLeft, y: event.clientY + region.scrollTop };
    }
  });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    const left = drag.x - event.clientX;
    const top = drag.y - event.clientY;
    const far = Math.hypot(left - region.scrollLeft, top - region.scrollTop);
    if (!isDragged && far < 4) return;
    isDragged = true;
    region.classList.add("glossary-map__region--dragged");
    region.scrollTo({ left, top, behavior: "instant" });
  });
  for (const end of ["pointerup", "pointercancel"]) {
    addEventListener(end, () => {
      drag = null;
      region.classList.remove("glossary-map__region--dragged");
    });
  }
  region.addEventListener(
    "click",
    (event) => {
      if (isDragged) event.preventDefault();
    },
    true,
  );

  // What a term is related to. No two nodes are at the same place, so the ends of the
  // lines tell which nodes they are between.
  let nodes = null;
  const key = (x, y) => `${x} ${y}`;
  const placeOf = (node) => {
    const { x, y } = node.lastElementChild.attributes;
    return key(x.value, y.value);
  };
  function connect() {
    nodes = new Map();
    for (const node of picture.querySelectorAll(".glossary-map__node")) {
      nodes.set(placeOf(node), { node, near: [], lines: "" });
    }
    for (const edges of picture.querySelectorAll(".glossary-map__edges")) {
      for (const [line, ...ends] of edges
        .getAttribute("d")
        .matchAll(/M(\d+) (\d+)l(-?\d+) (-?\d+)/g)) {
        const [x, y, across, down] = ends.map(Number);
        const one = nodes.get(key(x, y));
        const other = nodes.get(key(x + across, y + down));
        one.near.push(other.node);
        other.near.push(one.node);
        one.lines += line;
        other.lines += line;
      }
    }
  }
  function light(node) {
    for (const near of picture.querySelectorAll(`.${NEAR}`)) near.classList.remove(NEAR);
    if (node && !nodes) connect();
    const found = node && nodes.get(placeOf(node));
    for (const near of found ? [node, ...found.near] : []) near.classList.add(NEAR);
    lit.setAttribute("d", found ? found.lines : "");
    picture.classList.toggle("glossary-map__picture--lit", Boolean(found));
  }
  const nodeOf = (target) => target?.closest?.(".glossary-map__node");
  for (const [start, end] of [
    ["pointerover", "pointerout"],
    ["focusin", "focusout"],
  ]) {
    picture.addEventListener(start, (event) => {
      if (event.pointerType !== "touch" && nodeOf(event.target)) light(nodeOf(event.target));
    });
    picture.addEventListener(end, (event) => {
      if (nodeOf(event.target) && !nodeOf(event.relatedTarget)) light(null);
    });
  }

  // A region of another width begins anew.
  let known = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== known) zoomTo(1);
    known = innerWidth;
  });
}
