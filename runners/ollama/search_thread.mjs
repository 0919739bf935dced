// The thread in which the files are searched: what it is to look for comes with its start, what it finds goes out as it is found.

import { parentPort, workerData } from 'node:worker_threads';
import { occurrences } from './occurrences.mjs';

for await (const finding of occurrences(workerData)) parentPort?.postMessage(finding);
parentPort?.postMessage({ type: 'end' });
