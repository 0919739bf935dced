import { beforeEach, expect, test } from 'vitest';
import { Places } from './places.svelte';

beforeEach(() => localStorage.clear());

test('back goes through the places to where one was', () => {
  const places = new Places();
  places.open('doctor');
  places.open('settings');
  places.back();
  expect(places.current).toBe('doctor');
  places.back();
  expect(places.current).toBeNull();
  expect(places.canGoBack).toBe(false);
});

test('a session that is opened from a place can be left for the place again', () => {
  const places = new Places();
  places.open('search');
  places.leave();
  expect(places.current).toBeNull();
  places.back();
  expect(places.current).toBe('search');
});

test('opening the place in front changes nothing; toggling it goes away', () => {
  const places = new Places();
  places.toggle('usage');
  places.open('usage');
  places.toggle('usage');
  expect(places.current).toBeNull();
  expect(places.canGoBack).toBe(false);
});

test('a reload shows the place again, and one that is no more shows the sessions', () => {
  const before = new Places();
  before.begin('/w');
  before.open('usage');
  const after = new Places();
  after.begin('/w');
  expect(after.current).toBe('usage');
  const other = new Places();
  other.begin('/v');
  expect(other.current).toBeNull();
  localStorage.setItem('outrigger.place./w', '"gone"');
  after.begin('/w');
  expect(after.current).toBeNull();
});
