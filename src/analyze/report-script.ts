// Owns the one script of a report file: times in local time with UTC on hover, tables that sort, and flame graphs drawn from theirs. Reading needs none of it.

/** Runs once at the end of the page; touches text, order and canvases only, never markup. Its hash stands in the page's CSP. */
export const REPORT_SCRIPT = `'use strict';
(function () {
  var two = function (n) { return String(n).padStart(2, '0'); };
  var forms = {
    time: function (d) { return two(d.getHours()) + ':' + two(d.getMinutes()) + ':' + two(d.getSeconds()); },
    minute: function (d) { return two(d.getHours()) + ':' + two(d.getMinutes()); },
    fine: function (d) { return forms.time(d) + '.' + String(d.getMilliseconds()).padStart(3, '0'); },
    date: function (d) { return two(d.getMonth() + 1) + '-' + two(d.getDate()); },
    day: function (d) { return forms.date(d) + ' ' + forms.time(d); },
    full: function (d) { return d.getFullYear() + '-' + forms.day(d); }
  };
  var zone = function (d) {
    var minutes = -d.getTimezoneOffset(), size = Math.abs(minutes);
    return minutes === 0 ? 'UTC' : 'UTC' + (minutes < 0 ? '-' : '+') + Math.floor(size / 60) + (size % 60 ? ':' + two(size % 60) : '');
  };
  var all = document.querySelectorAll('[data-at]'), last = new Date();
  all.forEach(function (node) {
    var d = new Date(Number(node.getAttribute('data-at'))), form = forms[node.getAttribute('data-form')];
    if (form && !isNaN(d)) { node.textContent = form(d); last = d; }
  });
  if (zone(last) !== 'UTC') {
    document.querySelectorAll('.zone').forEach(function (node) { node.textContent = zone(last); });
    document.querySelectorAll('.zone-note').forEach(function (node) { node.textContent = ' in sentences and in the file; this page shows marked times in your own zone, ' + zone(last) + ', with UTC on hover'; });
    document.querySelectorAll('.timeline > h2 small').forEach(function (node) { node.textContent = node.textContent.replace('UTC', zone(last)); });
    document.querySelectorAll('th button, th').forEach(function (node) { if (node.textContent === 'Time (UTC)') node.textContent = 'Time'; });
  }
  document.querySelectorAll('figure.flame').forEach(function (figure) {
    var boxes = Array.prototype.map.call(figure.querySelectorAll('tbody tr'), function (row) {
      var of = function (i) { return Number(row.cells[i].getAttribute('data-sort')); };
      return { depth: of(0), name: row.cells[1].textContent, kind: row.cells[2].textContent, from: of(3), span: of(4), said: row.cells[1].textContent + ', ' + row.cells[4].textContent + ', ' + row.cells[5].textContent };
    });
    if (!boxes.length) return;
    var row = 18, least = Math.min.apply(null, boxes.map(function (b) { return b.depth; })), levels = 1 + Math.max.apply(null, boxes.map(function (b) { return b.depth; })) - least;
    var begin = Math.min.apply(null, boxes.map(function (b) { return b.from; })), end = Math.max.apply(null, boxes.map(function (b) { return b.from + b.span; }));
    var from = begin, to = end, found = '', place = figure.querySelector('.flame-drawn');
    var add = function (tag, into) { return into.appendChild(document.createElement(tag)); };
    var tools = add('p', place), search = add('input', tools), whole = add('button', tools), canvas = add('canvas', place), said = add('p', place);
    search.type = 'search'; search.placeholder = 'Function or file'; search.setAttribute('aria-label', 'Search functions and files'); whole.type = 'button'; whole.textContent = 'Whole';
    canvas.tabIndex = 0; canvas.setAttribute('role', 'img'); canvas.setAttribute('aria-label', 'Flame graph; the table below has the same numbers. Plus and minus zoom, arrow keys pan, 0 shows all.'); said.setAttribute('aria-live', 'polite'); said.textContent = 'A click zooms to a call.';
    canvas.height = levels * row;
    var hue = { app: '#b9cdf5', dependency: '#e0c2e6', node: '#b7ddd7', native: '#e6d7b0', gc: '#f3cfae' };
    var draw = function () {
      var width = canvas.width = Math.max(200, place.clientWidth), pen = canvas.getContext('2d'), scale = width / Math.max(1e-9, to - from);
      pen.font = '11.5px monospace'; pen.textBaseline = 'middle';
      boxes.forEach(function (b) {
        var x = Math.max(0, (b.from - from) * scale), w = Math.min(width, (b.from + b.span - from) * scale) - x, y = (b.depth - least) * row;
        if (w <= 0) return;
        var hit = !found || b.name.toLowerCase().indexOf(found) >= 0;
        pen.fillStyle = hit ? hue[b.kind] || '#d5d9e0' : '#eceef2'; pen.fillRect(x, y, Math.max(0.6, w - 0.6), row - 1);
        if (w > 40) { pen.fillStyle = hit ? '#14181f' : '#626b7c'; pen.fillText(b.name.slice(0, Math.floor((w - 8) / 7)), x + 4, y + row / 2); }
      });
    };
    var go = function (a, b) { var span = Math.min(end - begin, b - a); from = Math.max(begin, Math.min(a, end - span)); to = from + span; draw(); };
    canvas.addEventListener('click', function (event) {
      var box = canvas.getBoundingClientRect(), at = from + (event.clientX - box.left) / box.width * (to - from), depth = Math.floor((event.clientY - box.top) / box.height * levels) + least;
      var hit = boxes.filter(function (b) { return b.depth === depth && at >= b.from && at < b.from + b.span; })[0];
      if (hit) { said.textContent = hit.said; go(hit.from, hit.from + hit.span); }
    });
    canvas.addEventListener('keydown', function (event) {
      var span = to - from, middle = (from + to) / 2, moves = { '+': [middle - span / 3, middle + span / 3], '-': [middle - span, middle + span], ArrowLeft: [from - span / 5, to - span / 5], ArrowRight: [from + span / 5, to + span / 5], '0': [begin, end] }, move = moves[event.key];
      if (move) { event.preventDefault(); go(move[0], move[1]); }
    });
    search.addEventListener('input', function () { found = search.value.trim().toLowerCase(); draw(); });
    whole.addEventListener('click', function () { go(begin, end); });
    addEventListener('resize', draw);
    draw();
  });
  document.querySelectorAll('table.sortable').forEach(function (table) {
    var body = table.tBodies[0], heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var button = document.createElement('button');
      button.type = 'button'; button.textContent = head.textContent; head.textContent = ''; head.appendChild(button);
      button.addEventListener('click', function () {
        var down = head.getAttribute('aria-sort') === 'descending';
        heads.forEach(function (other) { other.removeAttribute('aria-sort'); });
        head.setAttribute('aria-sort', down ? 'ascending' : 'descending');
        var value = function (row) { var cell = row.cells[column], n = cell.getAttribute('data-sort'); return n === null ? cell.textContent : Number(n); };
        Array.prototype.slice.call(body.rows).sort(function (a, b) {
          var x = value(a), y = value(b), by = typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y));
          return down ? by : -by;
        }).forEach(function (row) { body.appendChild(row); });
      });
    });
  });
})();
`;
