/* Picking a story copies it into the block at once, as long as nothing has been written there. Saving does the same. */
(() => {
  const { StructBlockDefinition } = window.wagtailStreamField.blocks;

  const isRichText = (value) => typeof value === "string" && value.startsWith("{") && value.includes('"blocks"');

  const isEmpty = (value) => {
    if (isRichText(value)) return JSON.parse(value).blocks.every((block) => !block.text);
    return !value || value === "null";
  };

  const setState = (child, state) =>
    child.setState(isRichText(state) ? window.Draftail.createEditorStateFromRaw(JSON.parse(state)) : state);

  class StoryBlockDefinition extends StructBlockDefinition {
    render(placeholder, prefix, initialState, initialError) {
      const block = super.render(placeholder, prefix, initialState, initialError);
      block.childBlocks.story.widget.addEventListener("chosen", (event) => this.copyInto(block, event.detail.id));
      return block;
    }

    isUntouched(block) {
      return this.meta.copied.every((name) => isEmpty(block.childBlocks[name].getValue()));
    }

    async copyInto(block, story) {
      if (!this.isUntouched(block)) return;
      const response = await fetch(this.meta.copyUrl.replace("/0/", `/${story}/`), { credentials: "same-origin" });
      if (!response.ok || !this.isUntouched(block)) return;
      const copy = await response.json();
      this.meta.copied.forEach((name) => setState(block.childBlocks[name], copy[name]));
      // Autosave and the fields' own heights listen to typing.
      this.meta.copied.forEach((name) => {
        const field = block.childBlocks[name].element.querySelector("input, textarea");
        // The rich text editor writes to its field only once somebody types.
        if (field && isRichText(copy[name])) field.value = copy[name];
        ["input", "change"].forEach((kind) => field?.dispatchEvent(new Event(kind, { bubbles: true })));
      });
    }
  }

  window.telepath.register("newsdesk.StoryBlock", StoryBlockDefinition);
})();
