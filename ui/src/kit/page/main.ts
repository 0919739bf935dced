// Where does the kit's page begin? For people who work on the looks; no part of the product's build.

import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import { mount } from 'svelte';
import '../../styles/tokens.css';
import '../../styles/page.css';
import '../../styles/floating.css';
import KitPage from './KitPage.svelte';

const target = document.getElementById('app');
if (target) mount(KitPage, { target });
