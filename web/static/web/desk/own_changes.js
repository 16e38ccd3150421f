/* What counts as an edit of an open form, where Wagtail is mistaken. */
(() => {
  const controllerOf = (form) => window.wagtail.app.getControllerForElementAndIdentifier(form, "w-unsaved");

  /* An editor of rich text writes its field anew once it stands on the page. On a slow machine that comes after Wagtail has noted
     how the form was, and looks like an edit: it would be saved, or warned of. Until a person does something, nothing is an edit. */
  let touched = false;
  const note = (event) => (touched ||= event.isTrusted);
  ["keydown", "pointerdown", "input", "paste", "drop"].forEach((kind) => document.addEventListener(kind, note, { capture: true, passive: true }));

  document.addEventListener(
    "w-unsaved:add",
    (event) => {
      const unsaved = controllerOf(event.target);
      // A form that comes back with errors holds what is not saved yet.
      if (touched || !unsaved || unsaved.forceValue) return;
      event.stopImmediatePropagation();
      unsaved.clear();
    },
    { capture: true },
  );

  /* Wagtail notes how a form was two seconds after it opened. What a person had typed by then would be neither saved nor warned of:
     it is noted at once, and from the first thing that a person does, what is noted is what was saved. */
  let kept = null;
  document.addEventListener("w-unsaved:ready", ({ target }) => setTimeout(() => controllerOf(target)?.setInitialFormData()));
  document.addEventListener("w-unsaved:watch-edits", ({ target, detail }) => {
    const unsaved = controllerOf(target);
    if (!touched) kept = detail.initialFormData;
    else if (unsaved && kept !== null) unsaved.initialFormData = unsaved.previousFormData = kept;
  });

  /* Wagtail looks for edits every half second and tells of them when as long has passed without another: the preview would come a
     second and a half after the last key. */
  document.querySelectorAll('form[data-controller~="w-unsaved"]').forEach((form) => (form.dataset.wUnsavedCheckIntervalValue = "150"));

  /* Once an automatic save is answered, Wagtail takes the form as it stands for saved. What was typed while it was under way is not:
     the form as it was posted is the saved one. */
  let posted = null;
  document.addEventListener("w-autosave:save", (event) => (posted = controllerOf(event.target)?.formData));
  document.addEventListener("w-autosave:success", (event) => {
    const unsaved = controllerOf(event.target);
    if (unsaved && posted !== null) unsaved.initialFormData = unsaved.previousFormData = kept = posted;
  });
})();
