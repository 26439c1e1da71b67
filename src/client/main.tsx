// Owns the page's entry: theme first, then the frame into its place.
import '../shared/no-eval.ts';
import { render } from 'preact';
import { App } from './frame/app.tsx';
import { startTheme } from './theme.ts';

startTheme();
const place = document.getElementById('app');
if (place) render(<App />, place);
