// What Wagtail leaves without a name: fields that scripts build, which a screen reader would read out as nothing.
"use strict";
(() => {
    const FIELDS = "[role='textbox'], [role='combobox'], .ui-autocomplete-input, #fileupload";

    function nameOf(field) {
        const around = field.closest("[data-contentpath], .w-field__wrapper, .w-panel, .c-sf-container__block-container, form");
        const label = around?.querySelector("label, .w-panel__heading [data-panel-heading-text], .w-field__label");
        return label?.innerText.replace("*", "").trim() || field.title || "Text";
    }

    function give(within) {
        for (const field of [...(within.matches?.(FIELDS) ? [within] : []), ...within.querySelectorAll(FIELDS)]) {
            if (field.hasAttribute("aria-label") || field.hasAttribute("aria-labelledby") || field.labels?.length) continue;
            field.setAttribute("aria-label", field.id === "fileupload" ? "Images" : nameOf(field));
        }
    }

    give(document);
    new MutationObserver(changes => {
        for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === Node.ELEMENT_NODE) give(node);
    }).observe(document.body, { childList: true, subtree: true });

    // Jcrop finds out about touch with handlers inside the page, which the desk's policy forbids.
    const cropper = window.jQuery?.Jcrop;
    if (cropper) cropper.defaults.touchSupport = "ontouchstart" in window;
})();
