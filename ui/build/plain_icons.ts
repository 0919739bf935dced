// How does an icon of the set become plain markup?

import type { Plugin } from 'vite';

/** Where the set keeps an icon, as a component. */
const ICON = /@lucide\/svelte\/dist\/icons\/[\w-]+\.svelte$/;
const DATA = /const iconData = (\{.*\});/;

/** Tags and attributes of what an icon is drawn of. */
type Node = [tag: string, attributes: Record<string, string>][];

/**
 * Writes the icons out when the page is built. The set's own components put each together from data wherever it is drawn, and a list
 * draws one in each row: that was a twentieth of the time to the window's first picture. Of the set's properties an icon takes `size`,
 * `aria-hidden` and `aria-label`, and no other.
 */
export const plainIcons: Plugin = {
  name: 'plain-icons',
  enforce: 'pre',
  transform(code, id) {
    if (!ICON.test(id)) return null;
    const data = DATA.exec(code)?.[1];
    if (!data) throw new Error(`${id} tells its drawing in another way than ui/build/plain_icons.ts expects`);
    const { node } = JSON.parse(data) as { node: Node };
    const drawing = node.map(([tag, attributes]) => `<${tag} ${written(attributes)} />`).join('');
    return `<script>
  let { size = 24, 'aria-hidden': hidden, 'aria-label': label } = $props();
</script>
<svg width={size} height={size} viewBox="0 0 24 24" ${LINES} aria-hidden={hidden} aria-label={label}>${drawing}</svg>`;
  },
};

const LINES = written({
  fill: 'none',
  stroke: 'currentColor',
  'stroke-width': '2',
  'stroke-linecap': 'round',
  'stroke-linejoin': 'round',
});

function written(attributes: Record<string, string>): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}="${value}"`)
    .join(' ');
}
