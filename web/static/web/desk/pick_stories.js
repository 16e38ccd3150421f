/* Stories of the inbox, several at once, become blocks of the open form. */
(() => {
  const say = (words) => (document.querySelector("[data-order-said]").textContent = words);

  const add = async (button, chosen) => {
    const query = new URLSearchParams(chosen.map(({ id }) => ["id", id]));
    const response = await fetch(`${button.dataset.blocks}?${query}`, { credentials: "same-origin" }).catch(() => null);
    if (!response?.ok) {
      say("Nothing was added: the desk did not answer. Try again.");
      return;
    }
    const { blocks } = await response.json();
    const { stream } = window.newsdesk;
    const made = blocks.map((block) => stream.insert(block, stream.children.length, { collapsed: true }));
    // Autosave listens to typing.
    made[0]?.element.querySelector("input")?.dispatchEvent(new Event("input", { bubbles: true }));
    say(`${made.length} ${made.length === 1 ? "story" : "stories"} added at the end.`);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pick-stories]");
    if (!button) return;
    window.ModalWorkflow({
      url: button.dataset.pickStories,
      urlParams: { multiple: 1 },
      onload: new window.ChooserModalOnloadHandlerFactory().getOnLoadHandlers(),
      responses: { chosen: (chosen) => add(button, chosen) },
    });
  });
})();
