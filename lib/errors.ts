/**
 * The errors of everything that needs no kernel. Each message is one sentence for the person who has to act, with
 * the place (object, section, offset, program, instruction) first. Errors of system calls live in `ffi/`.
 *
 * @module
 */

/** What every error of this library is an instance of. */
export abstract class DebpfError extends Error {}

/** Bytes that are not what they should be: truncated, corrupt or hostile ELF, BTF or instructions. */
export class FormatError extends DebpfError {
  /** Name of the class. */
  override readonly name = "FormatError";
}

/** Programs, maps and symbols that do not fit together: dangling references, duplicates, bad addends. */
export class LinkError extends DebpfError {
  /** Name of the class. */
  override readonly name = "LinkError";
}

/** A CO-RE relocation that cannot be applied at all (one that only misses its target is a poisoned fixup instead). */
export class RelocationError extends DebpfError {
  /** Name of the class. */
  override readonly name = "RelocationError";
}

/** Something that this library or the kernel at hand cannot do. */
export class UnsupportedError extends DebpfError {
  /** Name of the class. */
  override readonly name = "UnsupportedError";
  /** What is missing, in the field's own terms: `"kconfig externs"`, `"BPF_MAP_TYPE_RINGBUF"`. */
  readonly feature: string;
  /** The kernel version that brought the feature (`"5.8"`), where a kernel is what lacks it. */
  readonly since: string | undefined;

  /**
   * Words the sentence, unless it is given.
   *
   * @param feature What is missing.
   * @param message The whole sentence; by default made of `feature` and `since`.
   * @param options `since`: the first kernel version that has it.
   */
  constructor(feature: string, message?: string, options: ErrorOptions & { since?: string } = {}) {
    const since = options.since === undefined ? "" : ` (needs Linux ${options.since} or newer)`;
    super(message ?? `${feature}: not supported${since}`, options);
    this.feature = feature;
    this.since = options.since;
  }
}
