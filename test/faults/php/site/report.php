<?php
// Owns a report that is built in memory.
$rows = [];
for ($i = 0; $i < 5000000; $i++) { $rows[] = str_repeat('x', 100); }
echo count($rows);
