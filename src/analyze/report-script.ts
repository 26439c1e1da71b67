// Owns the one script of a report file: times in local time with UTC on hover, and tables that sort. Reading needs neither.

/** Runs once at the end of the page; touches text and order only, never markup. Its hash stands in the page's CSP. */
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
