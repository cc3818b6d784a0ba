/**
 * What `debpf help gen` says; apart from the commands, so that one loads only what it needs.
 *
 * @module
 */

/** What it says about `gen object`. */
export const OBJECT_USAGE = `object OUT IN...

Links BPF objects into one. A function, variable or map that one object declares extern is found in another; of several
definitions a strong one wins over those that are __weak. What no object defines stays extern, so that OUT can be
linked again. DWARF is left out: with a single IN that is all that changes.

  OUT     the object to write; nothing is written if linking fails
  IN      objects that clang made, or this command`;

/** What it says about `gen min_core_btf`. */
export const MIN_CORE_BTF_USAGE = `min_core_btf IN OUT OBJECT...
       debpf gen min_core_btf IN... DIR OBJECT...

Writes the part of a kernel's BTF that the CO-RE relocations of objects need, so that they can be loaded on a kernel
that shows no BTF of itself: a few kilobytes instead of megabytes.

  IN      a kernel's BTF (raw, or an ELF file with a section .BTF; vmlinux: the running kernel's), or a module's,
          which belongs to the kernel before it: what the objects need of a module is merged into its kernel's file
  OUT     the file to write
  DIR     a directory (or a name that ends in "/", to make one): a file NAME.btf for each kernel`;
