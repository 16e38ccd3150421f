/* A link with data-jump leads to a field or block of the edition's form: what is folded around it opens, and it takes the focus. */
(() => {
  const FIELD = "input:not([type=hidden]), textarea, select, [contenteditable=true], button";

  const open = (panel) => panel.querySelector(":scope > .w-panel__header [data-panel-toggle][aria-expanded=false]")?.click();

  const openAround = (element) => {
    for (let panel = element.closest("[data-panel]"); panel; panel = panel.parentElement.closest("[data-panel]")) open(panel);
    // A block's further fields stand behind its cogwheel.
    const folded = element.closest("[hidden]");
    if (folded) document.querySelector(`[aria-controls="${CSS.escape(folded.id)}"][aria-expanded=false]`)?.click();
  };

  const named = (where, path) => where.querySelector(`[data-contentpath="${CSS.escape(path)}"]`);

  const targetOf = ({ jumpBlock: block, jumpField: field }) => {
    if (!block) return named(document, field);
    const child = named(document, block);
    return child && ((field && named(child, field)) || child.querySelector("[data-panel]"));
  };

  const closePanelOnPhone = () => {
    const side = document.querySelector("[data-form-side].form-side--open");
    if (side && side.offsetWidth > window.innerWidth * 0.6) side.querySelector("[data-form-side-close-button]").click();
  };

  // The first that can be seen: a block's further fields come before its headline in the page.
  const focusable = (target) => {
    const fields = target.matches("[data-panel]") ? FIELD.replace(", button", "") : FIELD;
    return [...target.querySelectorAll(fields)].find((field) => field.checkVisibility());
  };

  const jump = (place) => {
    const target = targetOf(place);
    if (!target) return false;
    closePanelOnPhone();
    openAround(target);
    target.scrollIntoView({ block: target.offsetHeight < window.innerHeight / 2 ? "center" : "start", behavior: "instant" });
    focusable(target)?.focus({ preventScroll: true });
    target.classList.add("desk-jumped");
    target.addEventListener("focusout", () => target.classList.remove("desk-jumped"), { once: true });
    return true;
  };

  window.newsdesk = { ...window.newsdesk, jump };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-jump]");
    if (link && jump(link.dataset)) event.preventDefault();
  });
})();
