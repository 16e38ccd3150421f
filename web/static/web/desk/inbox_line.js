/* The inbox line under subject and preheader: in step with what is typed; a suggested subject is taken with one click. */
(() => {
  const value = (name) => document.getElementById(`id_${name}`)?.value.trim() || "";

  const draw = () => {
    const write = (name, text) => document.querySelectorAll(`[data-inbox-${name}]`).forEach((place) => (place.textContent = text));
    write("subject", value("subject") || value("title") || "(no subject)");
    write("preheader", value("preheader"));
  };

  document.addEventListener("input", draw);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-subject]");
    const subject = document.getElementById("id_subject");
    if (!button || !subject) return;
    subject.value = button.textContent;
    subject.dispatchEvent(new Event("input", { bubbles: true }));
    subject.focus();
  });
  draw();
})();
