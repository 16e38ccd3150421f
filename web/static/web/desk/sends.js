// Keeps the sends of an edition's page fresh while one of them is scheduled or under way.
(function () {
    "use strict";
    var EVERY = 2000;

    // A button that has the focus is not taken away from under the hand.
    function isInUse(section) {
        return section.contains(document.activeElement) && document.activeElement.matches("a, button");
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
            .then(function (html) { if (html) replace(section, html); })
            .catch(function () {})
            .then(function () { setTimeout(refresh, EVERY); });
    }

    setTimeout(refresh, EVERY);
})();
