// Where does the page begin? It finds its host and draws the window.

import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import { mount } from 'svelte';
import Window from './features/frame/Window.svelte';
import { connect } from './host/connect';
import './styles/tokens.css';
import './styles/page.css';
import './styles/floating.css';

/** The longest that the first picture waits for its face, in milliseconds. */
const FACE_MS = 80;

/** Words drawn before their face is there are laid out twice, and the system looks for a substitute in each size and weight. */
function textFace(): Promise<unknown> {
  const late = new Promise((resolve) => setTimeout(resolve, FACE_MS));
  // Without its face the window is still a window.
  return Promise.race([document.fonts.load('1em "Inter Variable"').catch(() => undefined), late]);
}

/** Not awaited by this module: what the host loads imports from the same file, which would wait for itself. */
async function begin(): Promise<void> {
  const target = document.getElementById('app');
  const [host] = await Promise.all([connect(), textFace()]);
  if (target) mount(Window, { target, props: { host } });
}
void begin();
