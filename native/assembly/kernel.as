/**
 * The WASM kernels, in AssemblyScript: SHA-256 of four messages at a time in 128-bit lanes, Fr32,
 * CRC32C. Word t of message l lies in lane l of vector t. Built by native/build-wasm.mjs into
 * src/generated; not compiled by tsc.
 *
 * The code is small on purpose: a schedule in memory and loops of eight rounds run faster in V8 than
 * everything unrolled. Callers give pointers into this memory and check lengths; nothing is checked
 * here.
 *
 * Not plain AssemblyScript in two places, see native/wasm-text.mjs: a round between `eight rounds` and
 * `end of rounds` is written out eight times, and `order` becomes no instruction at all.
 */

/** Keeps values that are stored later from being computed too early; see `rounds`. */
@external('env', 'order')
declare function order(reads: i32): void

const K = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
], 16)
const IV = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
], 16)
/** Eight vectors: the four states. */
const STATE = memory.data(8 * 16, 16)
/** Sixty-four vectors: the four schedules. */
const SCHEDULE = memory.data(64 * 16, 16)
/** Round constants plus the schedule of the block that closes messages of one size. */
const CLOSING = memory.data(64 * 4, 16)
const CRC = memory.data(8 * 256 * 4, 16)
/** Constants of keccak's step iota, two states of 25 words, and a block for a message's end. */
const IOTA = memory.data<u64>([
  0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
  0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
  0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
  0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
  0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
], 16)
const LANES = memory.data(2 * 200, 16)
const ENDING = memory.data(136, 16)

@inline
function add(a: v128, b: v128): v128 {
  return i32x4.add(a, b)
}

/** Rotations by 6, 11 and 25. Here and below all forms have equally many steps; these measured fastest. */
@inline
function sum1(x: v128): v128 {
  return v128.xor(
    v128.xor(v128.xor(i32x4.shr_u(x, 11), i32x4.shl(x, 21)), v128.xor(i32x4.shl(x, 26), i32x4.shr_u(x, 6))),
    v128.xor(i32x4.shr_u(x, 25), i32x4.shl(x, 7)),
  )
}

/** Rotations by 2, 13 and 22; the first two as shifts of shifts. */
@inline
function sum0(x: v128): v128 {
  return v128.xor(
    v128.xor(i32x4.shr_u(x, 22), i32x4.shl(x, 10)),
    v128.xor(i32x4.shl(v128.xor(i32x4.shl(x, 11), x), 19), i32x4.shr_u(v128.xor(x, i32x4.shr_u(x, 11)), 2)),
  )
}

/** `sum1` for rounds that make no words. */
@inline
function sum1Bare(x: v128): v128 {
  return v128.xor(
    v128.xor(i32x4.shl(x, 7), i32x4.shr_u(x, 25)),
    v128.xor(v128.xor(i32x4.shl(x, 21), i32x4.shr_u(x, 11)), v128.xor(i32x4.shr_u(x, 6), i32x4.shl(x, 26))),
  )
}

/** `sum0` for rounds that make no words. */
@inline
function sum0Bare(x: v128): v128 {
  return v128.xor(
    v128.xor(v128.xor(i32x4.shr_u(x, 2), i32x4.shr_u(x, 13)), i32x4.shr_u(x, 22)),
    v128.xor(v128.xor(i32x4.shl(x, 19), i32x4.shl(x, 30)), i32x4.shl(x, 10)),
  )
}

@inline
function small0(x: v128): v128 {
  return v128.xor(
    v128.xor(v128.xor(i32x4.shr_u(x, 7), i32x4.shl(x, 25)), v128.xor(i32x4.shr_u(x, 18), i32x4.shl(x, 14))),
    i32x4.shr_u(x, 3),
  )
}

@inline
function small1(x: v128): v128 {
  return v128.xor(
    v128.xor(v128.xor(i32x4.shr_u(x, 17), i32x4.shl(x, 15)), v128.xor(i32x4.shr_u(x, 19), i32x4.shl(x, 13))),
    i32x4.shr_u(x, 10),
  )
}

@inline
function swap(x: v128): v128 {
  return v128.swizzle(x, i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12))
}

/** Four rows of four words become four columns, from `a` to `a` + 48. */
@inline
function transpose(r0: v128, r1: v128, r2: v128, r3: v128, to: usize): void {
  const a = v128.shuffle<u32>(r0, r1, 0, 4, 1, 5)
  const b = v128.shuffle<u32>(r0, r1, 2, 6, 3, 7)
  const c = v128.shuffle<u32>(r2, r3, 0, 4, 1, 5)
  const d = v128.shuffle<u32>(r2, r3, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<u64>(a, c, 0, 2), 0)
  v128.store(to, v128.shuffle<u64>(a, c, 1, 3), 16)
  v128.store(to, v128.shuffle<u64>(b, d, 0, 2), 32)
  v128.store(to, v128.shuffle<u64>(b, d, 1, 3), 48)
}

/** The first sixteen words of four blocks that lie `stride` bytes apart. */
function gather(from: usize, stride: usize): void {
  for (let q: usize = 0; q < 4; q++) {
    const p = from + q * 16
    transpose(
      swap(v128.load(p)),
      swap(v128.load(p + stride)),
      swap(v128.load(p + 2 * stride)),
      swap(v128.load(p + 3 * stride)),
      SCHEDULE + q * 64,
    )
  }
}

/**
 * The first sixteen words of four pairs of nodes. The nodes are two groups of four as `closingRounds`
 * leaves them: no byte is turned, two vectors become two.
 */
function weave(from: usize): void {
  for (let i: usize = 0; i < 128; i += 16) {
    const low = v128.load(from + i)
    const high = v128.load(from + i, 128)
    v128.store(SCHEDULE + i, v128.shuffle<u32>(low, high, 0, 2, 4, 6))
    v128.store(SCHEDULE + i, v128.shuffle<u32>(low, high, 1, 3, 5, 7), 128)
  }
}

/** Word t + 16 of the schedules from the sixteen before it; `w` points to word t. */
@inline
function extend(w: usize): void {
  v128.store(
    w,
    add(add(v128.load(w), small0(v128.load(w, 16))), add(v128.load(w, 144), small1(v128.load(w, 224)))),
    256,
  )
}

/**
 * Sixty-four rounds. Each of the first forty-eight also makes the word that is needed sixteen rounds
 * later: the two chains of dependent steps hide each other's waiting.
 *
 * V8 puts steps without effect in an order of its own: level by level, counted back from the last store,
 * one store a level. Left alone it starts so much at a time that registers do not suffice. Storing `d`
 * and `h` (to a word of the schedule that is used up: always elsewhere, or the processor takes spilled
 * values for what was stored) keeps rounds apart, and `order` says by how many levels.
 */
function rounds(): void {
  let a = v128.load(STATE, 0)
  let b = v128.load(STATE, 16)
  let c = v128.load(STATE, 32)
  let d = v128.load(STATE, 48)
  let e = v128.load(STATE, 64)
  let f = v128.load(STATE, 80)
  let g = v128.load(STATE, 96)
  let h = v128.load(STATE, 112)
  let bc = v128.xor(b, c)
  let ab = bc
  let x = bc
  let w = SCHEDULE
  let k = K
  for (; w < SCHEDULE + 48 * 16; w += 128, k += 32) {
    // eight rounds:
    extend(w + T * 16)
    x = add(add(add(add(v128.load(w, T * 16), v128.load32_splat(k, T * 4)), h), v128.bitselect(f, g, e)), sum1(e))
    d = add(d, x)
    order(8)
    ab = v128.xor(b, a)
    h = add(add(sum0(a), v128.xor(v128.and(ab, bc), b)), x)
    v128.store(w, h, T * 16)
    order(4)
    // end of rounds
  }
  for (; w < SCHEDULE + 64 * 16; w += 128, k += 32) {
    // eight rounds:
    x = add(sum1Bare(e), add(v128.xor(g, v128.and(e, v128.xor(f, g))), add(h, add(v128.load(w, T * 16), v128.load32_splat(k, T * 4)))))
    order(8)
    d = add(x, d)
    v128.store(w, d, T * 16)
    order(12)
    ab = v128.xor(b, a)
    h = add(sum0Bare(a), add(x, v128.xor(v128.and(ab, bc), b)))
    v128.store(w, h, T * 16)
    order(4)
    // end of rounds
  }
  save(STATE, a, b, c, d, e, f, g, h)
}

/**
 * Sixty-four rounds over the closing block, the same in every lane. The digests go to `to`, word by word,
 * the last of them under `mask`.
 */
function closingRounds(to: usize, mask: v128): void {
  let a = v128.load(STATE, 0)
  let b = v128.load(STATE, 16)
  let c = v128.load(STATE, 32)
  let d = v128.load(STATE, 48)
  let e = v128.load(STATE, 64)
  let f = v128.load(STATE, 80)
  let g = v128.load(STATE, 96)
  let h = v128.load(STATE, 112)
  let bc = v128.xor(b, c)
  let ab = bc
  let x = bc
  let k = CLOSING
  for (let w = SCHEDULE; w < SCHEDULE + 64 * 16; w += 128, k += 32) {
    // eight rounds:
    x = add(sum1Bare(e), add(v128.xor(g, v128.and(e, v128.xor(f, g))), add(h, v128.load32_splat(k, T * 4))))
    order(8)
    d = add(x, d)
    v128.store(w, d, T * 16)
    order(12)
    ab = v128.xor(b, a)
    h = add(sum0Bare(a), add(x, v128.xor(v128.and(ab, bc), b)))
    v128.store(w, h, T * 16)
    order(4)
    // end of rounds
  }
  save(to, a, b, c, d, e, f, g, h)
  v128.store(to, v128.and(mask, v128.load(to, 112)), 112)
}

@inline
function save(to: usize, a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128, h: v128): void {
  v128.store(to, add(a, v128.load(STATE, 0)), 0)
  v128.store(to, add(b, v128.load(STATE, 16)), 16)
  v128.store(to, add(c, v128.load(STATE, 32)), 32)
  v128.store(to, add(d, v128.load(STATE, 48)), 48)
  v128.store(to, add(e, v128.load(STATE, 64)), 64)
  v128.store(to, add(f, v128.load(STATE, 80)), 80)
  v128.store(to, add(g, v128.load(STATE, 96)), 96)
  v128.store(to, add(h, v128.load(STATE, 112)), 112)
}

/** Where callers may put their bytes. */
export function arena(): usize {
  return (__heap_base + 63) & ~63
}

/** Four states at their beginning. */
export function begin(): void {
  for (let i: usize = 0; i < 8; i++) v128.store(STATE + i * 16, v128.load32_splat(IV + i * 4))
}

/** `blocks` whole blocks into each of four states; lane l reads from `from` + l x `stride`. */
export function absorb(from: usize, stride: usize, blocks: usize): void {
  for (; blocks > 0; blocks--, from += 64) {
    gather(from, stride)
    rounds()
  }
}

/** The block that closes messages of `size` bytes, a multiple of 64 below 2^53. */
export function prepare(size: f64): void {
  const bits: u64 = (size as u64) << 3
  for (let t: usize = 0; t < 64; t++) {
    let w: u32 = 0
    if (t == 0) w = 0x80000000
    else if (t == 14) w = (bits >> 32) as u32
    else if (t == 15) w = bits as u32
    else if (t > 15) {
      const p = CLOSING + t * 4
      const x = load<u32>(p - 60)
      const y = load<u32>(p - 8)
      w =
        load<u32>(p - 64) +
        (rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3)) +
        load<u32>(p - 28) +
        (rotr(y, 17) ^ rotr(y, 19) ^ (y >> 10))
    }
    store<u32>(CLOSING + t * 4, w)
  }
  for (let t: usize = 0; t < 256; t += 4) store<u32>(CLOSING + t, load<u32>(CLOSING + t) + load<u32>(K + t))
}

/** The prepared block into each state. */
export function close(): void {
  closingRounds(STATE, i32x4.splat(-1))
}

/** Four digests, 128 bytes. */
export function emit(to: usize): void {
  const s = SCHEDULE
  transpose(v128.load(STATE, 0), v128.load(STATE, 16), v128.load(STATE, 32), v128.load(STATE, 48), s)
  transpose(v128.load(STATE, 64), v128.load(STATE, 80), v128.load(STATE, 96), v128.load(STATE, 112), s + 64)
  for (let l: usize = 0; l < 4; l++) {
    v128.store(to + l * 32, swap(v128.load(s + l * 16)))
    v128.store(to + l * 32, swap(v128.load(s + 64 + l * 16)), 16)
  }
}

/**
 * Digests of `count` messages of `size` bytes, a multiple of 64 that was prepared. Works on whole
 * groups of four: there must be room to read and write up to the next multiple of four. `to` may be
 * `from` for messages of 64 bytes.
 */
export function messages(from: usize, size: usize, count: usize, to: usize): void {
  for (let m: usize = 0; m < count; m += 4) {
    begin()
    absorb(from, size, size >> 6)
    close()
    emit(to)
    from += 4 * size
    to += 128
  }
}

/**
 * `levels` levels of nodes over `count` pairs at `at`, the highest of them to the same place; `prepare`
 * ran for 64 bytes. `top` masks the last byte of each node. Works on groups of four as `messages`; below
 * the highest level the pairs must be whole groups of eight.
 *
 * Between two levels nodes stay as words in lanes, four nodes in the 128 bytes that they would take.
 */
export function pairs(at: usize, count: usize, top: u32, levels: u32): void {
  const mask = i32x4.splat(0xffffff00 | top)
  for (let level: u32 = 1; level <= levels; level++, count >>= 1) {
    let from = at
    let to = at
    for (let m: usize = 0; m < count; m += 4, from += 256, to += 128) {
      begin()
      if (level == 1) gather(from, 64)
      else weave(from)
      rounds()
      if (level < levels) {
        closingRounds(to, mask)
      } else {
        closingRounds(STATE, mask)
        emit(to)
      }
    }
  }
}

/** A quarter of a quad that is not the first: its words and those a word earlier, shifted alike. */
@inline
function element(from: usize, to: usize, up: i32, top: v128): void {
  const down = 64 - up
  v128.store(to, v128.or(i64x2.shr_u(v128.load(from - 8), down), i64x2.shl(v128.load(from), up)))
  v128.store(to, v128.and(top, v128.or(i64x2.shr_u(v128.load(from, 8), down), i64x2.shl(v128.load(from, 16), up))), 16)
}

/** 127 bytes become 128, `quads` times (FRC-0069). Reads one byte beyond, which changes nothing. */
export function fr32(from: usize, quads: usize, to: usize): void {
  const top = i64x2(-1, 0x3fffffffffffffff)
  for (; quads > 0; quads--, from += 127, to += 128) {
    v128.store(to, v128.load(from))
    v128.store(to, v128.and(top, v128.load(from, 16)), 16)
    element(from + 32, to + 32, 2, top)
    element(from + 64, to + 64, 4, top)
    element(from + 96, to + 96, 6, top)
  }
}

/** Builds the tables of `crc32c`. Must run once. */
export function crcTables(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let c = i
    for (let k = 0; k < 8; k++) c = (c >> 1) ^ (c & 1 ? 0x82f63b78 : 0)
    store<u32>(CRC + i * 4, c)
  }
  for (let i: usize = 256; i < 8 * 256; i++) {
    const below = load<u32>(CRC + (i - 256) * 4)
    store<u32>(CRC + i * 4, (below >> 8) ^ load<u32>(CRC + (below & 255) * 4))
  }
}

@inline
function look(table: usize, byte: u32): u32 {
  return load<u32>(CRC + table * 1024 + (byte & 255) * 4)
}

/** CRC-32C of what follows on bytes whose value was `seed`. */
export function crc32c(seed: u32, from: usize, length: usize): u32 {
  let c = ~seed
  for (; length >= 8; length -= 8, from += 8) {
    const low = c ^ load<u32>(from)
    const high = load<u32>(from, 4)
    c =
      look(7, low) ^ look(6, low >> 8) ^ look(5, low >> 16) ^ look(4, low >> 24) ^
      look(3, high) ^ look(2, high >> 8) ^ look(1, high >> 16) ^ look(0, high >> 24)
  }
  for (; length > 0; length--, from++) c = (c >> 8) ^ look(0, c ^ load<u8>(from))
  return ~c
}

@inline
function lane(state: usize, i: usize): u64 {
  return load<u64>(state + i * 8)
}

@inline
function parity(state: usize, x: usize): u64 {
  return lane(state, x) ^ lane(state, x + 5) ^ lane(state, x + 10) ^ lane(state, x + 15) ^ lane(state, x + 20)
}

/** One plane through chi, from five lanes that theta, rho and pi have moved. */
@inline
function chi(to: usize, b0: u64, b1: u64, b2: u64, b3: u64, b4: u64): void {
  store<u64>(to, b0 ^ (~b1 & b2), 0)
  store<u64>(to, b1 ^ (~b2 & b3), 8)
  store<u64>(to, b2 ^ (~b3 & b4), 16)
  store<u64>(to, b3 ^ (~b4 & b0), 24)
  store<u64>(to, b4 ^ (~b0 & b1), 32)
}

/** One round of keccak; the twin of `round_of` in csrc/keccak.c. */
@inline
function keccakRound(a: usize, e: usize, constant: usize): void {
  const p0 = parity(a, 0)
  const p1 = parity(a, 1)
  const p2 = parity(a, 2)
  const p3 = parity(a, 3)
  const p4 = parity(a, 4)
  const d0 = p4 ^ rotl(p1, 1)
  const d1 = p0 ^ rotl(p2, 1)
  const d2 = p1 ^ rotl(p3, 1)
  const d3 = p2 ^ rotl(p4, 1)
  const d4 = p3 ^ rotl(p0, 1)
  chi(e, lane(a, 0) ^ d0, rotl(lane(a, 6) ^ d1, 44), rotl(lane(a, 12) ^ d2, 43), rotl(lane(a, 18) ^ d3, 21), rotl(lane(a, 24) ^ d4, 14))
  store<u64>(e, load<u64>(e) ^ load<u64>(constant))
  chi(e + 40, rotl(lane(a, 3) ^ d3, 28), rotl(lane(a, 9) ^ d4, 20), rotl(lane(a, 10) ^ d0, 3), rotl(lane(a, 16) ^ d1, 45), rotl(lane(a, 22) ^ d2, 61))
  chi(e + 80, rotl(lane(a, 1) ^ d1, 1), rotl(lane(a, 7) ^ d2, 6), rotl(lane(a, 13) ^ d3, 25), rotl(lane(a, 19) ^ d4, 8), rotl(lane(a, 20) ^ d0, 18))
  chi(e + 120, rotl(lane(a, 4) ^ d4, 27), rotl(lane(a, 5) ^ d0, 36), rotl(lane(a, 11) ^ d1, 10), rotl(lane(a, 17) ^ d2, 15), rotl(lane(a, 23) ^ d3, 56))
  chi(e + 160, rotl(lane(a, 2) ^ d2, 62), rotl(lane(a, 8) ^ d3, 55), rotl(lane(a, 14) ^ d4, 39), rotl(lane(a, 15) ^ d0, 41), rotl(lane(a, 21) ^ d1, 2))
}

function absorbKeccak(block: usize): void {
  for (let i: usize = 0; i < 136; i += 8) store<u64>(LANES + i, load<u64>(LANES + i) ^ load<u64>(block + i))
  for (let k: usize = IOTA; k < IOTA + 24 * 8; k += 16) {
    keccakRound(LANES, LANES + 200, k)
    keccakRound(LANES + 200, LANES, k + 8)
  }
}

/** An empty state of keccak. */
export function beginKeccak(): void {
  memory.fill(LANES, 0, 200)
}

/** Blocks of 136 bytes into the state. */
export function feedKeccak(from: usize, blocks: usize): void {
  for (; blocks > 0; blocks--, from += 136) absorbKeccak(from)
}

/** The last `rest` bytes of the message, fewer than 136, and the padding; the digest goes to `to`. */
export function endKeccak(from: usize, rest: usize, to: usize): void {
  memory.fill(ENDING, 0, 136)
  memory.copy(ENDING, from, rest)
  store<u8>(ENDING + rest, 0x01)
  store<u8>(ENDING + 135, load<u8>(ENDING + 135) | 0x80)
  absorbKeccak(ENDING)
  memory.copy(to, LANES, 32)
}

/** keccak-256 of `count` messages of `size` bytes. */
export function keccak(from: usize, size: usize, count: usize, to: usize): void {
  for (; count > 0; count--, from += size, to += 32) {
    const blocks = size / 136
    beginKeccak()
    feedKeccak(from, blocks)
    endKeccak(from + blocks * 136, size - blocks * 136, to)
  }
}
