/* What counts as an edit of an open form, where Wagtail is mistaken. */
(() => {
  const controllerOf = (form) => window.wagtail.app.getControllerForElementAndIdentifier(form, "w-unsaved");
  const forms = [...document.querySelectorAll('form[data-controller~="w-unsaved"]')];

  /* An editor of rich text writes its field anew once it stands on the page, the same in other words. That is no edit: forms are compared
     by what their fields say. */
  const isNothing = (value) => typeof value === "object" && value !== null && !Object.keys(value).length;
  const inOrder = (_key, value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const names = Object.keys(value).filter((name) => !isNothing(value[name]));
    return Object.fromEntries(names.sort().map((name) => [name, value[name]]));
  };
  const meaning = (value) => {
    if (!value.startsWith("{")) return value;
    try {
      return JSON.stringify(JSON.parse(value), inOrder);
    } catch {
      return value;
    }
  };
  const inOneWriting = (data) => new URLSearchParams([...data].map(([name, value]) => [name, meaning(value)])).toString();
  const compareByMeaning = (unsaved) => {
    const asWritten = () => Reflect.get(Object.getPrototypeOf(unsaved), "formData", unsaved);
    Object.defineProperty(unsaved, "formData", { get: () => inOneWriting(new URLSearchParams(asWritten())) });
  };

  /* Other widgets may write their fields late, too. Until a person does something, nothing is an edit. */
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
  const opened = new Map(forms.map((form) => [form, new FormData(form)]));
  const asOpened = (form, now) => {
    const data = new URLSearchParams(now);
    for (const [name, value] of opened.get(form) || []) {
      if (typeof value === "string" && data.getAll(name).length === 1) data.set(name, value);
    }
    return inOneWriting(data);
  };
  document.addEventListener("w-unsaved:ready", ({ target }) => {
    compareByMeaning(controllerOf(target));
    setTimeout(() => {
      const unsaved = controllerOf(target);
      if (touched && unsaved) kept = asOpened(target, unsaved.formData);
      unsaved?.setInitialFormData();
    });
  });
  document.addEventListener("w-unsaved:watch-edits", ({ target, detail }) => {
    const unsaved = controllerOf(target);
    if (!touched) kept = detail.initialFormData;
    else if (unsaved && kept !== null) unsaved.initialFormData = unsaved.previousFormData = kept;
  });

  /* Wagtail looks for edits every half second and tells of them when as long has passed without another: the preview would come a
     second and a half after the last key. */
  forms.forEach((form) => (form.dataset.wUnsavedCheckIntervalValue = "150"));

  /* Once an automatic save is answered, Wagtail takes the form as it stands for saved. What was typed while it was under way is not:
     the form as it was posted is the saved one. */
  let posted = null;
  document.addEventListener("w-autosave:save", (event) => (posted = controllerOf(event.target)?.formData));
  document.addEventListener("w-autosave:success", (event) => {
    const unsaved = controllerOf(event.target);
    if (unsaved && posted !== null) unsaved.initialFormData = unsaved.previousFormData = kept = posted;
  });
})();
