/**
 * What an object needs of a kernel, and since when there is such a kernel.
 *
 * @module
 */
export {
  type CollectionNeeds,
  collectionNeeds,
  type Need,
  type NeedKind,
  type ProgramNeeds,
  type StackNeed,
} from "./needs.ts";
