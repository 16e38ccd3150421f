/* The running order: the blocks of the open form as one list. Whatever moves there moves in the form, and the other way round. */
(() => {
  const { StreamBlockDefinition } = window.wagtailStreamField.blocks;
  const NAMES = { section: "heading", sponsor: "name", button: "label" };
  const WAIT = 150;
  const moves = [];
  let stream = null;

  /* The stories' fields are made here: a form that is sent before would come without them. */
  const openForSubmitting = () => {
    const actions = document.getElementById("edition-actions");
    actions?.removeAttribute("disabled");
    actions?.removeAttribute("title");
  };

  class ContentBlockDefinition extends StreamBlockDefinition {
    render(...args) {
      stream = super.render(...args);
      window.newsdesk = { ...window.newsdesk, stream };
      openForSubmitting();
      return stream;
    }
  }
  window.telepath.register("newsdesk.ContentBlock", ContentBlockDefinition);

  const within = (child, field) => child.element.querySelector(`[data-contentpath="${field}"]`);
  const text = (child, field) => within(child, field)?.querySelector("input, textarea")?.value.trim() || "";
  const richText = (child) => within(child, "body")?.querySelector("[contenteditable=true]")?.innerText || "";
  const words = (child) => `${text(child, "headline")} ${text(child, "lede")} ${richText(child)}`.split(/\s+/).filter(Boolean).length;
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(bytes < 10000 ? 1 : 0)} KB`;
  const sizes = () => JSON.parse(document.querySelector("[data-sizes] script")?.textContent || "{}");
  const blocks = () => (stream ? stream.children.filter((child) => child.deletedInput.val() !== "1") : []);
  const label = (child) => (child.type === "story" ? text(child, "headline") || "Story without a headline" : text(child, NAMES[child.type]));

  const make = (name, className, content) => {
    const element = document.createElement(name);
    element.className = className;
    element.textContent = content || "";
    return element;
  };

  const row = (child, number, weights) => {
    const item = make("li", `desk-order__item desk-order__item--${child.type}`);
    item.tabIndex = -1;
    item.draggable = true;
    item.dataset.block = child.id;
    const kind = child.type[0].toUpperCase() + child.type.slice(1);
    item.append(make("span", "desk-order__number", number ? `${number}` : ""));
    const picture = within(child, "image")?.querySelector("[data-chooser-image]");
    const thumb = make("span", "desk-order__thumb");
    if (picture?.getAttribute("src")) {
      const image = make("img", "");
      image.src = picture.src;
      image.alt = "";
      thumb.append(image);
    }
    const name = make("span", "desk-order__name", number ? label(child) : [kind, label(child)].filter(Boolean).join(": "));
    const audience = text(child, "audience");
    const facts = [number ? `${words(child)} words` : "", weights[child.id] ? kilobytes(weights[child.id]) : "", audience ? `only ${audience}` : number ? "everybody" : ""];
    item.append(thumb, name, make("span", "desk-order__facts", facts.filter(Boolean).join(" · ")));
    return item;
  };

  const list = () => document.querySelector("[data-order-list]");
  const say = (words) => (document.querySelector("[data-order-said]").textContent = words);

  const draw = () => {
    if (!list() || !stream) return;
    const focused = list().contains(document.activeElement) ? document.activeElement.dataset.block : null;
    const { total, clippedAt, stories = {} } = sizes();
    let number = 0;
    list().replaceChildren(...blocks().map((child) => row(child, child.type === "story" ? (number += 1) : 0, stories)));
    const rows = [...list().children];
    const current = rows.find((item) => item.dataset.block === focused);
    if (rows.length) (current || rows[0]).tabIndex = 0;
    current?.focus({ preventScroll: true });
    const sum = [number === 1 ? "1 story" : `${number} stories`];
    if (total) sum.push(`${kilobytes(total)} of the ${kilobytes(clippedAt)} at which Gmail clips, as last saved`);
    document.querySelector("[data-order-sum]").textContent = number ? sum.join(" · ") : "No story yet: add one below.";
    document.querySelector("[data-order-undo]").hidden = !moves.length;
  };

  const move = (id, to, { keep = true } = {}) => {
    const shown = blocks();
    const child = shown.find((one) => one.id === id);
    const from = shown.indexOf(child);
    if (from < 0 || to < 0 || to >= shown.length || from === to) return;
    stream.moveBlock(child.index, shown[to].index);
    if (keep) moves.push({ id, from });
    // Autosave listens to typing.
    child.element.querySelector("input")?.dispatchEvent(new Event("input", { bubbles: true }));
    draw();
    [...list().children].find((item) => item.dataset.block === id)?.focus();
    say(`${label(child) || child.type}: now ${to + 1} of ${shown.length}`);
  };

  const undo = () => {
    const last = moves.pop();
    if (last) move(last.id, last.from, { keep: false });
  };

  const onKey = (event) => {
    const item = event.target.closest("[data-block]");
    if (!item) return;
    const rows = [...list().children];
    const at = rows.indexOf(item);
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step && event.altKey) move(item.dataset.block, at + step);
    else if (step) {
      const next = rows[at + step];
      if (next) {
        item.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      }
    } else if (event.key === "Enter") window.newsdesk.jump({ jumpBlock: item.dataset.block, jumpField: "" });
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
    else return;
    event.preventDefault();
  };

  const listen = () => {
    if (!list()) return;
    let dragged = null;
    list().addEventListener("keydown", onKey);
    list().addEventListener("click", (event) => {
      const item = event.target.closest("[data-block]");
      if (item) window.newsdesk.jump({ jumpBlock: item.dataset.block, jumpField: "" });
    });
    list().addEventListener("dragstart", (event) => (dragged = event.target.closest("[data-block]").dataset.block));
    list().addEventListener("dragover", (event) => dragged && event.preventDefault());
    list().addEventListener("drop", (event) => {
      event.preventDefault();
      const over = event.target.closest("[data-block]");
      if (over && dragged) move(dragged, [...list().children].indexOf(over));
      dragged = null;
    });
    document.querySelector("[data-order-undo]").addEventListener("click", undo);
    let waiting;
    const soon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(draw, WAIT);
    };
    const form = document.getElementById("w-editor-form");
    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    new MutationObserver(soon).observe(form.querySelector("[data-contentpath=content]"), { childList: true, subtree: true });
    document.addEventListener("w-autosave:success", soon);
    draw();
  };

  // The form's blocks are made when the page is ready.
  if (document.readyState === "complete") listen();
  else window.addEventListener("load", listen);
})();
