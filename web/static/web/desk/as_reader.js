/* The preview as one reader: their address is looked up, and the preview's list of modes gets them. */
(() => {
  const PAUSE = 200;
  let waiting;

  const post = async (form, fields) => {
    const body = new URLSearchParams({ csrfmiddlewaretoken: form.csrfmiddlewaretoken.value, ...fields });
    const response = await fetch(form.action, { method: "POST", body, credentials: "same-origin" }).catch(() => null);
    const isJson = response?.headers.get("content-type")?.includes("json");
    return isJson ? response.json() : { error: "The desk did not answer. Try again." };
  };

  const offer = async (form) => {
    const { addresses } = await post(form, { begins: form.address.value });
    if (!addresses) return;
    form.querySelector("datalist").replaceChildren(...addresses.map((address) => new Option(address, address)));
  };

  const show = (modes) => {
    const select = document.querySelector("[data-w-preview-target=mode]");
    select.querySelectorAll("option[value^=reader-]").forEach((option) => option.remove());
    select.append(...modes.map(([mode, label]) => new Option(label, mode)));
    [[select.value]] = modes;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const look = async (form) => {
    const { modes, said, error } = await post(form, { address: form.address.value });
    form.querySelector("[role=status]").textContent = error || said;
    form.address.setAttribute("aria-invalid", String(Boolean(error)));
    if (modes) show(modes);
  };

  const formOf = (event) => event.target.closest?.("[data-as-reader]");

  document.addEventListener("submit", (event) => {
    const form = formOf(event);
    if (!form) return;
    event.preventDefault();
    look(form);
  });
  document.addEventListener("focusin", (event) => {
    if (formOf(event) && event.target.matches("input[list]")) offer(formOf(event));
  });
  document.addEventListener("input", (event) => {
    const form = formOf(event);
    if (!form) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => offer(form), PAUSE);
  });
})();
