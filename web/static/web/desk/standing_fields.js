/* What came over from last week is marked until it is changed, or until somebody says that it stays. */
(() => {
  const keep = (note) => {
    const kept = document.getElementById("id_kept");
    kept.value = [kept.value, note.dataset.standing].filter(Boolean).join(",");
    // Autosave listens to typing.
    kept.dispatchEvent(new Event("input", { bubbles: true }));
    const [field] = note.dataset.standingFields.split(" ");
    note.hidden = true;
    window.newsdesk.jump({ jumpBlock: "", jumpField: field });
  };

  document.addEventListener("click", (event) => {
    const note = event.target.closest("[data-keep]")?.closest("[data-standing]");
    if (note) keep(note);
  });
  document.addEventListener("input", (event) => {
    const field = event.target.closest("[data-contentpath]")?.dataset.contentpath;
    document.querySelectorAll("[data-standing]").forEach((note) => {
      if (note.dataset.standingFields.split(" ").includes(field)) note.hidden = true;
    });
  });
})();
