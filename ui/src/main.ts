// Where does the page begin? It finds its host and draws the window.

import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import { mount } from 'svelte';
import Window from './features/frame/Window.svelte';
import { connect } from './host/connect';
import './styles/tokens.css';
import './styles/page.css';
import './styles/floating.css';

/** Not awaited by this module: what the host loads imports from the same file, which would wait for itself. */
async function begin(): Promise<void> {
  const target = document.getElementById('app');
  if (target) mount(Window, { target, props: { host: await connect() } });
}
void begin();
