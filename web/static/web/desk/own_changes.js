/* An editor of rich text writes its field anew once it stands on the page. On a slow machine that comes after Wagtail has noted
   how the form was, and looks like an edit: it would be saved, or warned of. Until a person does something, nothing is an edit. */
(() => {
  let touched = false;
  const note = (event) => (touched ||= event.isTrusted);
  ["keydown", "pointerdown", "input", "paste", "drop"].forEach((kind) => document.addEventListener(kind, note, { capture: true, passive: true }));

  document.addEventListener(
    "w-unsaved:add",
    (event) => {
      const unsaved = window.wagtail.app.getControllerForElementAndIdentifier(event.target, "w-unsaved");
      // A form that comes back with errors holds what is not saved yet.
      if (touched || !unsaved || unsaved.forceValue) return;
      event.stopImmediatePropagation();
      unsaved.clear();
    },
    { capture: true },
  );
})();
