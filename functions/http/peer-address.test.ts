import { describe, expect, it } from 'vitest'
import { networkOf, peerAddress } from './peer-address.ts'

describe('peer address', () => {
  it.each([
    ['198.51.100.1', '1.2.3.4', false, '198.51.100.1'],
    ['127.0.0.1', '1.2.3.4', false, '127.0.0.1'],
    ['127.0.0.1', '1.2.3.4', true, '1.2.3.4'],
    ['::ffff:127.0.0.1', '2001:db8::7', true, '2001:db8::7'],
    // What a client has written stands before what the proxy adds.
    ['127.0.0.1', '6.6.6.6, 1.2.3.4', true, '1.2.3.4'],
    // Not through the proxy: nobody else may say who they are.
    ['198.51.100.1', '1.2.3.4', true, '198.51.100.1'],
    ['127.0.0.1', null, true, '127.0.0.1'],
    ['127.0.0.1', '', true, '127.0.0.1'],
    ['127.0.0.1', '1.2.3.4, unknown', true, '127.0.0.1'],
    ['127.0.0.1', `1.2.3.4, ${'f'.repeat(100)}`, true, '127.0.0.1'],
  ])(
    'of a request from %s with X-Forwarded-For %j, behind a proxy: %s, is %s',
    (peer, forwarded, behindProxy, expected) => {
      expect(peerAddress(peer, forwarded, behindProxy)).toBe(expected)
    },
  )
})

describe('the network of an address', () => {
  it.each([
    ['198.51.100.1', '198.51.100.1'],
    ['unknown', 'unknown'],
    ['::ffff:198.51.100.1', '::ffff:198.51.100.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('of %s is %s', (address, expected) => {
    expect(networkOf(address)).toBe(expected)
  })
})
