/* Starts the widgets that Wagtail would start with a script inside the page, which the desk's policy forbids. */
(() => {
    const functions = ["initDateChooser", "initTimeChooser", "initDateTimeChooser"];
    const start = (note) => {
        const name = note.dataset.deskWidget;
        const given = JSON.parse(note.textContent);
        note.remove();
        if (functions.includes(name)) window[name](...given);
        else if (/^[A-Z]\w*Chooser$/.test(name)) new window[name](...given);
    };
    const startAll = () => document.querySelectorAll("script[data-desk-widget]").forEach(start);
    startAll();
    // Modals and panels bring more of them later.
    new MutationObserver(startAll).observe(document.body, { childList: true, subtree: true });
})();
