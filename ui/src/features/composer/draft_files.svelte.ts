// Which files go with the prompt that is being written? Kept over a reload with its words, until it is sent.

import { asWireError, type Host } from '../../host/host';
import type { Attachment } from '../../protocol/Attachment';
import type { ChosenFile } from '../../protocol/ChosenFile';
import { keep, kept } from '../../state/kept';

/** Files of one prompt. */
const MOST = 16;
/** The largest file that may come by its content, in bytes: larger ones are not even read. */
const PASTED = 20 * 1024 * 1024;

/** The files of one draft. */
export class DraftFiles {
  list = $state.raw<ChosenFile[]>([]);
  /** Why one could not be taken. */
  problem = $state('');
  /** Files that are being written. */
  underWay = $state(0);
  #host: Host;
  #draft = '';

  constructor(host: Host) {
    this.#host = host;
  }

  /** Goes to another draft. */
  open(draft: string): void {
    if (draft === this.#draft) return;
    this.#draft = draft;
    this.list = kept(this.#key(draft), []);
    this.problem = '';
  }

  /** What the prompt is sent with. */
  get attachments(): Attachment[] {
    return this.list.map(({ path, name, mimeType }) => ({ path, name, mimeType }));
  }

  /** Asks the user for files. */
  async pick(): Promise<void> {
    await this.#taking(async (draft) => this.#add(draft, await this.#host.pickFiles()));
  }

  /** Takes files that were pasted or dropped. */
  async take(files: File[]): Promise<void> {
    for (const file of files) {
      await this.#taking(async (draft) => {
        if (file.size > PASTED) throw tooLarge(file);
        this.#add(draft, [await this.#host.keepFile(file.name || 'image.png', await base64Of(file))]);
      });
    }
  }

  remove(path: string): void {
    this.#keep(
      this.#draft,
      this.list.filter((file) => file.path !== path),
    );
    this.problem = '';
  }

  /** The draft was sent. What was in it, in case that it comes back. */
  clear(): ChosenFile[] {
    const { list } = this;
    this.#keep(this.#draft, []);
    this.problem = '';
    return list;
  }

  /** Puts files back into a draft that could not be sent. */
  restore(draft: string, files: ChosenFile[]): void {
    this.#add(draft, files);
  }

  async #taking(take: (draft: string) => Promise<void>): Promise<void> {
    this.problem = '';
    this.underWay += 1;
    try {
      await take(this.#draft);
    } catch (thrown) {
      this.problem = asWireError(thrown).message;
    } finally {
      this.underWay -= 1;
    }
  }

  #add(draft: string, files: ChosenFile[]): void {
    const before = draft === this.#draft ? this.list : kept<ChosenFile[]>(this.#key(draft), []);
    const more = files.filter((file) => !before.some(({ path }) => path === file.path));
    if (before.length + more.length > MOST) this.problem = `${MOST} files may go with a prompt.`;
    this.#keep(draft, [...before, ...more].slice(0, MOST));
  }

  #keep(draft: string, list: ChosenFile[]): void {
    if (draft === this.#draft) this.list = list;
    keep(this.#key(draft), list.length === 0 ? undefined : list);
  }

  #key(draft: string): string {
    return `draft-files.${draft}`;
  }
}

function tooLarge({ name, size }: File): Error {
  const mib = (bytes: number) => Math.ceil(bytes / 1024 / 1024);
  return new Error(
    `${name} has ${mib(size)} MiB; ${mib(PASTED)} MiB can be pasted or dropped. Choose it with “Attach files” instead: then its path is named to the agent, and it may be of any size.`,
  );
}

function base64Of(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(',')[1] ?? '');
    reader.onerror = () =>
      reject(new Error(`${file.name} could not be read. A folder is named with @ in the prompt instead.`));
    reader.readAsDataURL(file);
  });
}

/** The files of a paste; none where it is rather its words that are meant. */
export function filesOfPaste(data: DataTransfer | null): File[] {
  if (!data || data.files.length === 0) return [];
  const words = data.getData('text/plain').trim();
  // A file manager names its files in words too; a spreadsheet's picture of its cells is not what was meant.
  const areNames =
    words === '' || /^(file:\/\/|\/|[A-Za-z]:\\)/.test(words) || words.includes(data.files[0]?.name ?? '/');
  return areNames ? [...data.files] : [];
}
