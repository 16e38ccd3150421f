// Keeps the sends of an edition's page fresh while one of them is scheduled or under way.
(function () {
    "use strict";
    var EVERY = 2000;

    var pressed = false;
    ["pointerdown", "pointerup", "pointercancel"].forEach(function (kind) {
        document.addEventListener(kind, function () { pressed = kind === "pointerdown"; }, true);
    });

    // A button that has the focus, or is being pressed, is not taken away from under the hand.
    function isInUse(section) {
        return pressed || (section.contains(document.activeElement) && document.activeElement.matches("a, button"));
    }

    // What somebody has opened stays open.
    function replace(section, html) {
        var open = Array.from(section.querySelectorAll("details[open]"), function (one) { return one.id; });
        section.outerHTML = html;
        open.forEach(function (id) {
            var details = document.getElementById(id);
            if (details) details.open = true;
        });
    }

    function refresh() {
        var section = document.querySelector("[data-sends]");
        if (!section || !section.hasAttribute("data-moving")) return;
        if (document.hidden || isInUse(section)) return void setTimeout(refresh, EVERY);
        fetch(section.dataset.sends, { headers: { "X-Requested-With": "XMLHttpRequest" } })
            .then(function (answer) { return answer.ok && !answer.redirected ? answer.text() : null; })
            .then(function (html) { if (html && !isInUse(section)) replace(section, html); })
            .catch(function () {})
            .then(function () { setTimeout(refresh, EVERY); });
    }

    setTimeout(refresh, EVERY);
})();
