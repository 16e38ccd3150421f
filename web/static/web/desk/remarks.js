/* Remarks beside the blocks of the open form: each block has its own, folded up. */
(() => {
  const token = () => document.querySelector("input[name=csrfmiddlewaretoken]").value;
  const address = () => document.querySelector("[data-remarks]")?.dataset.remarks;
  let open = [];

  const make = (name, className, words = "") => {
    const element = document.createElement(name);
    element.className = className;
    element.textContent = words;
    return element;
  };

  const ask = async (url, fields) => {
    const body = fields && new URLSearchParams(fields);
    const options = fields ? { method: "POST", body, headers: { "X-CSRFToken": token() } } : {};
    const response = await fetch(url, { credentials: "same-origin", ...options }).catch(() => null);
    const answer = response?.headers.get("content-type")?.includes("json") ? await response.json() : {};
    if (answer.remarks) open = answer.remarks;
    return answer.remarks ? "" : answer.error || "The desk did not answer. Try again.";
  };

  const act = async (place, url, fields) => {
    const error = await ask(url, fields);
    place.querySelector("[role=status]").textContent = error;
    if (error) return;
    place.querySelector("textarea").value = "";
    draw();
  };

  const row = (place, remark) => {
    const item = make("li", "");
    const resolve = make("button", "button button-small button-secondary", "Resolve");
    resolve.type = "button";
    resolve.addEventListener("click", () => act(place, `${address()}${remark.id}/`, {}));
    item.append(make("p", "", remark.text), make("p", "desk-soft", `${remark.author}, ${remark.at}`), resolve);
    return item;
  };

  const place = (child) => {
    const made = make("details", "desk-remarks");
    const field = make("textarea", "");
    // No name: it is no part of the edition's form, and typing here changes nothing in it.
    field.rows = 2;
    field.maxLength = 1000;
    field.setAttribute("aria-label", "Remark on this block");
    ["input", "change", "keyup"].forEach((kind) => field.addEventListener(kind, (event) => event.stopPropagation()));
    const button = make("button", "button button-small button-secondary", "Add the remark");
    button.type = "button";
    button.addEventListener("click", () => act(made, address(), { block_id: child.id, text: field.value }));
    const status = make("p", "desk-soft");
    status.setAttribute("role", "status");
    made.append(make("summary", ""), make("ul", "desk-remarks__list"), field, button, status);
    return made;
  };

  const contentOf = (child) => child.element.querySelector(".w-panel__content");
  const besideOf = (content) => content.querySelector(":scope > .desk-remarks");

  const draw = () => {
    const { stream } = window.newsdesk;
    if (!stream || !address()) return;
    stream.children.forEach((child) => {
      const content = contentOf(child);
      if (!content) return;
      let beside = besideOf(content);
      if (!beside) content.append((beside = place(child)));
      const own = open.filter((remark) => remark.block === child.id);
      beside.querySelector("summary").textContent = own.length ? `Remarks: ${own.length} open` : "Remarks";
      beside.querySelector("ul").replaceChildren(...own.map((remark) => row(beside, remark)));
    });
    document.querySelectorAll("[data-remarks-count]").forEach((count) => {
      count.textContent = open.length ? `${open.length} open, beside the stories` : "None open";
    });
  };

  const start = async () => {
    if (address()) await ask(address());
    draw();
    const content = document.querySelector("[data-contentpath=content]");
    const isNew = (child) => contentOf(child) && !besideOf(contentOf(child));
    const drawNew = () => window.newsdesk.stream?.children.some(isNew) && draw();
    if (content) new MutationObserver(drawNew).observe(content, { childList: true, subtree: true });
  };

  // The form's blocks are made when the page is ready.
  if (document.readyState === "complete") start();
  else window.addEventListener("load", start);
})();
