<?php
// Owns the page that always works.
echo 'welcome';
