// Prints `--test NAME` for each Rust test whose sources are in the given folder of tests/, from `cargo metadata` on stdin.
import { readFileSync } from 'node:fs';

const folder = process.argv[2];
const { packages } = JSON.parse(readFileSync(0, 'utf8'));
const { targets } = packages.find((entry) => entry.name === 'outrigger-tests');
const found = targets.filter((target) => target.kind.includes('test') && target.src_path.includes(`/tests/${folder}/`));
console.log(found.map((target) => `--test ${target.name}`).join(' '));
