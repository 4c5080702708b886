/** What is thrown because of what others do; what can't happen is a plain Error. */

/** The other side sent what can't be used. */
export class NegotiationError extends Error {}
