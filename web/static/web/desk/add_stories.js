/* Keeps the markup of what is pasted beside its text, until the text is changed by hand. */
(() => {
    const text = document.getElementById("id_text");
    const html = document.getElementById("id_html");
    const note = document.getElementById("add-stories-note");
    if (!text || !html) return;
    const say = () => { note.hidden = !html.value; };
    text.addEventListener("paste", (event) => {
        const markup = event.clipboardData ? event.clipboardData.getData("text/html") : "";
        const whole = text.selectionStart === 0 && text.selectionEnd === text.value.length;
        html.dataset.pasted = whole && markup ? markup : "";
    });
    text.addEventListener("input", () => {
        html.value = html.dataset.pasted || "";
        html.dataset.pasted = "";
        say();
    });
    say();
})();
