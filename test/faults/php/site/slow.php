<?php
// Owns a page that waits for something far away.
sleep(5);
echo 'late';
