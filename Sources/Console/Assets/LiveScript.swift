/// Renews the marked regions of a page when the log grows. Without it the pages are the same, and stand still.
let liveScript = """
  (function () {
    'use strict';
    var from = document.body.dataset.live;
    if (from === undefined || !window.EventSource) return;
    var state = document.getElementById('live-state');
    var timer = null, busy = false, again = false;

    function say(text) { if (state && state.textContent !== text) state.textContent = text; }

    function inUse(region) {
      var active = document.activeElement;
      if (!active || !region.contains(active)) return false;
      return /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName);
    }

    function typed(region) {
      return Array.prototype.some.call(region.querySelectorAll('input:not([type=hidden]), textarea'), function (f) {
        return f.value !== f.defaultValue;
      });
    }

    function renew() {
      timer = null;
      if (busy) { again = true; return; }
      busy = true;
      fetch(location.href, { headers: { 'Accept': 'text/html' }, credentials: 'same-origin' })
        .then(function (r) { if (!r.ok) throw new Error(r.status); return r.text(); })
        .then(function (text) {
          var page = new DOMParser().parseFromString(text, 'text/html');
          document.querySelectorAll('[data-region]').forEach(function (old) {
            var fresh = page.getElementById(old.id);
            if (!fresh || inUse(old) || typed(old) || fresh.innerHTML === old.innerHTML) return;
            var open = Array.prototype.map.call(old.querySelectorAll('details'), function (d) { return d.open; });
            var focus = document.activeElement && old.contains(document.activeElement) ? document.activeElement : null;
            var href = focus && focus.getAttribute('href');
            old.className = fresh.className;
            old.innerHTML = fresh.innerHTML;
            old.querySelectorAll('details').forEach(function (d, i) { if (open[i]) d.open = true; });
            if (href) { var same = old.querySelector('a[href="' + CSS.escape(href) + '"]'); if (same) same.focus(); }
          });
        })
        .catch(function () { say('Waiting for the service'); })
        .finally(function () { busy = false; if (again) { again = false; soon(); } });
    }

    function soon() { if (timer === null) timer = setTimeout(renew, 250); }

    var source = new EventSource('/live?after=' + encodeURIComponent(from));
    source.addEventListener('change', soon);
    source.addEventListener('open', function () { say('Live'); });
    source.addEventListener('error', function () { say('Reconnecting'); });
    setInterval(function () { if (!document.hidden) soon(); }, 30000);
    document.addEventListener('visibilitychange', function () { if (!document.hidden) soon(); });
  })();
  """
