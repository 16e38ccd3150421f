// Keeps the sends of an edition's page fresh while one of them is scheduled or under way.
(function () {
    "use strict";
    var EVERY = 2000;

    function refresh() {
        var section = document.querySelector("[data-sends]");
        if (!section || !section.hasAttribute("data-moving")) return;
        // A button that has the focus is not taken away from under the hand.
        if (document.hidden || section.contains(document.activeElement)) return void setTimeout(refresh, EVERY);
        fetch(section.dataset.sends, { headers: { "X-Requested-With": "XMLHttpRequest" } })
            .then(function (answer) { return answer.ok && !answer.redirected ? answer.text() : null; })
            .then(function (html) { if (html) section.outerHTML = html; })
            .catch(function () {})
            .then(function () { setTimeout(refresh, EVERY); });
    }

    setTimeout(refresh, EVERY);
})();
