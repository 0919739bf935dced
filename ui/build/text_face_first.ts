// How does the face of the window's words come in time for its first picture?

import type { Plugin } from 'vite';

/** The face, as far as it is Latin. */
const FACE = /inter-latin-wght-normal.*\.woff2$/;

/** Has the document ask for it together with the script. Otherwise it is asked for at the first layout, which then has to do without. */
export const textFaceFirst: Plugin = {
  name: 'text-face-first',
  transformIndexHtml: {
    order: 'post',
    handler: (_document, { bundle }) => {
      const faces = Object.keys(bundle ?? {}).filter((file) => FACE.test(file));
      return faces.map((file) => ({
        tag: 'link',
        attrs: { rel: 'preload', as: 'font', type: 'font/woff2', crossorigin: true, href: `/${file}` },
        injectTo: 'head-prepend' as const,
      }));
    },
  },
};
