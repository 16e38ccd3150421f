/* Picking a story copies it into the block at once, as long as nothing has been written there. Saving does the same.
   What is edited in a block is edited for this edition only; two buttons fetch the story's present words, and write the block's back. */
(() => {
  const { StructBlockDefinition } = window.wagtailStreamField.blocks;

  const isRichText = (value) => typeof value === "string" && value.startsWith("{") && value.includes('"blocks"');

  const isEmpty = (value) => {
    if (isRichText(value)) return JSON.parse(value).blocks.every((block) => !block.text);
    return !value || value === "null";
  };

  /* What a field says: of rich text its words, styles and links without their keys, of a chosen image its id. */
  const said = (value) => {
    if (isRichText(value)) {
      const { blocks, entityMap } = JSON.parse(value);
      const styles = (block) => (block.inlineStyleRanges || []).map((range) => `${range.offset} ${range.length} ${range.style}`).sort();
      const links = (block) => (block.entityRanges || []).map((range) => `${range.offset} ${range.length} ${entityMap[range.key]?.data?.url}`).sort();
      const written = blocks.filter((block) => block.text);
      return JSON.stringify(written.map((block) => [block.type, block.depth || 0, block.text, styles(block), links(block)]));
    }
    if (value && typeof value === "object") return String(value.id);
    return isEmpty(value) ? "" : String(value);
  };

  /* What setState takes: of rich text what its field holds, which is "null" before anything was written. */
  const stateOf = (child, example) => {
    if (!isRichText(example)) return child.getState();
    const value = child.getValue();
    return isRichText(value) ? value : JSON.stringify({ blocks: [], entityMap: {} });
  };

  const setState = (child, state) =>
    child.setState(isRichText(state) ? window.Draftail.createEditorStateFromRaw(JSON.parse(state)) : state);

  const button = (label, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button button-small button-secondary";
    made.textContent = label;
    made.addEventListener("click", act);
    return made;
  };

  class StoryTools {
    constructor(definition, block, prefix) {
      Object.assign(this, { definition, block, prefix });
      this.element = document.createElement("div");
      this.element.className = "desk-copy";
      this.said = document.createElement("span");
      this.said.setAttribute("role", "status");
      const note = document.createElement("p");
      note.className = "desk-soft";
      note.textContent = "A copy: what you edit here is edited for this edition only.";
      this.buttons = document.createElement("p");
      this.buttons.className = "desk-actions";
      this.offer();
      this.element.append(note, this.buttons, this.said);
    }

    get story() {
      return this.block.childBlocks.story.getValue();
    }

    offer() {
      this.buttons.replaceChildren(
        button("Refresh from story", () => this.refresh()),
        button("Save to story", () => this.save()),
      );
    }

    async refresh() {
      if (!this.story) return this.say("Choose a story first.");
      const copy = await this.definition.wordsOf(this.story);
      if (!copy) return this.say("The story could not be read. Try again.");
      const differs = this.definition.meta.copied.some((name) => said(copy[name]) !== said(this.block.childBlocks[name].getValue()));
      if (!differs) return this.say("It says what the story says.");
      this.say("This replaces what the block says now.");
      this.buttons.replaceChildren(
        button("Replace it", () => this.replace(copy)),
        button("Leave it", () => this.settle("")),
      );
      this.buttons.firstChild.focus();
    }

    replace(copy) {
      const before = Object.fromEntries(
        this.definition.meta.copied.map((name) => [name, stateOf(this.block.childBlocks[name], copy[name])]),
      );
      this.definition.write(this.block, copy);
      this.settle("Refreshed.");
      const undo = button("Undo the refresh", () => {
        this.definition.write(this.block, before);
        undo.remove();
        this.say("As it was.");
      });
      this.buttons.append(undo);
    }

    async save() {
      if (!this.story) return this.say("Choose a story first.");
      const data = new FormData(this.element.closest("form"));
      data.set("prefix", this.prefix);
      const url = this.definition.meta.wordsUrl.replace("/0/", `/${this.story}/`);
      const response = await fetch(url, { method: "POST", body: data, credentials: "same-origin" }).catch(() => null);
      const answer = response?.headers.get("content-type")?.includes("json") ? await response.json() : {};
      this.say(answer.saved ? "Saved to the story; its history has what it said before." : answer.error || "Not saved. You may not write this story, or the desk did not answer.");
    }

    settle(words) {
      this.offer();
      this.say(words);
      this.buttons.firstChild.focus();
    }

    say(words) {
      this.said.textContent = words;
    }
  }

  class StoryBlockDefinition extends StructBlockDefinition {
    render(placeholder, prefix, initialState, initialError) {
      const block = super.render(placeholder, prefix, initialState, initialError);
      block.childBlocks.story.widget.addEventListener("chosen", (event) => this.copyInto(block, event.detail.id));
      const tools = new StoryTools(this, block, prefix);
      const chooser = block.childBlocks.story.element;
      (chooser.closest("[data-contentpath=story]") || chooser).append(tools.element);
      return block;
    }

    isUntouched(block) {
      return this.meta.copied.every((name) => isEmpty(block.childBlocks[name].getValue()));
    }

    async copyInto(block, story) {
      if (!this.isUntouched(block)) return;
      const copy = await this.wordsOf(story);
      if (copy && this.isUntouched(block)) this.write(block, copy);
    }

    async wordsOf(story) {
      const response = await fetch(this.meta.copyUrl.replace("/0/", `/${story}/`), { credentials: "same-origin" });
      return response.ok ? response.json() : null;
    }

    write(block, copy) {
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
