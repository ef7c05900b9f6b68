/** How much a watch remembers of one look. */

/** So many challenges that were not shown are worth remembering: those that a dispute may ask for. */
export const MISSING_KEPT = 5
