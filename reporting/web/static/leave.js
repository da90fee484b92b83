// Optional: everything works without it. It only makes leaving quicker.
(function () {
  var shifts = 0, since = 0;
  function blank() { document.documentElement.className = "is-gone"; document.title = "."; }
  function out() { return document.querySelector(".c-leave"); }
  // The screen is empty at once, before the network answers. A plain link also leaves no entry behind for Back.
  addEventListener("click", function (event) {
    var way = event.target.closest && event.target.closest(".c-leave");
    if (!way) return;
    blank();
    if (way.href) { event.preventDefault(); location.replace(way.href); }
  });
  // Shift three times within five seconds, for those who have a keyboard.
  addEventListener("keydown", function (event) {
    if (event.key !== "Shift" || event.repeat) { if (event.key !== "Shift") shifts = 0; return; }
    var now = Date.now();
    if (now - since > 5000) { shifts = 0; since = now; }
    if (++shifts === 3 && out()) out().click();
  });
  // A page that the browser kept in memory is asked for anew.
  addEventListener("pageshow", function (event) { if (event.persisted) { blank(); location.reload(); } });
})();
