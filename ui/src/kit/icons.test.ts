// Is an icon plain markup of the size and with the name that it was given?

import CircleAlert from '@lucide/svelte/icons/circle-alert';
import { flushSync, mount, unmount } from 'svelte';
import { expect, test } from 'vitest';

const drawn = (props: Record<string, unknown>) => {
  const target = document.createElement('div');
  const icon = mount(CircleAlert, { target, props });
  flushSync();
  const svg = target.querySelector('svg');
  void unmount(icon);
  if (!svg) throw new Error('nothing was drawn');
  return svg;
};

test('an icon has the size and the name that it was given', () => {
  const named = drawn({ size: 15, 'aria-label': 'Problem' });
  expect(named.getAttribute('width')).toBe('15');
  expect(named.getAttribute('height')).toBe('15');
  expect(named.getAttribute('aria-label')).toBe('Problem');
  expect(named.hasAttribute('aria-hidden')).toBe(false);
  const unnamed = drawn({ 'aria-hidden': 'true' });
  expect(unnamed.getAttribute('aria-hidden')).toBe('true');
  expect(unnamed.getAttribute('width')).toBe('24');
});

test('it is the drawing of the set, written out', () => {
  const svg = drawn({ size: 15, 'aria-hidden': 'true' });
  const tags = [...svg.children].map((child) => child.tagName);
  expect(tags).toEqual(['circle', 'line', 'line']);
  expect(svg.firstElementChild?.getAttribute('r')).toBe('10');
  expect(svg.getAttribute('stroke')).toBe('currentColor');
  // Put together by the set's own component, it would carry the set's classes.
  expect(svg.hasAttribute('class')).toBe(false);
});
