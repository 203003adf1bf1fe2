import { describe, expect, it } from 'vitest'
import { countInterleaved, timeInterleaved } from './rounds.ts'

describe('timeInterleaved', () => {
  it('warms up, then gives every round all contenders', async () => {
    const calls: string[] = []
    const contender = (name: string) => async () => calls.push(name)
    const times = await timeInterleaved(
      { a: contender('a'), b: contender('b') },
      { warmUp: 1, rounds: 2, callsPerRound: 2 },
    )
    expect(calls.join('')).toBe(['ab', 'aabb', 'bbaa'].join(''))
    expect(times.a.map((round) => round.length)).toEqual([2, 2])
    expect(times.b.flat().every((ms) => ms >= 0)).toBe(true)
  })

  it('gives three contenders all their orders in six rounds', async () => {
    let calls = ''
    const contender = (name: string) => async () => {
      calls += name
    }
    const contenders = { a: contender('a'), b: contender('b'), c: contender('c') }
    await timeInterleaved(contenders, { warmUp: 0, rounds: 6, callsPerRound: 1 })
    expect(calls.match(/.{3}/g)?.toSorted()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba'])
  })

  it('ends with the error of a call that failed', async () => {
    const failing = { a: () => Promise.reject(new Error('refused')) }
    await expect(timeInterleaved(failing, { warmUp: 0, rounds: 1, callsPerRound: 1 })).rejects.toThrow('refused')
  })

  it('stops between rounds when it is told to', async () => {
    const controller = new AbortController()
    const calls: number[] = []
    const contenders = {
      a: async () => {
        calls.push(1)
        controller.abort(new Error('stopped'))
      },
    }
    const plan = { warmUp: 0, rounds: 5, callsPerRound: 1 }
    await expect(timeInterleaved(contenders, plan, controller.signal)).rejects.toThrow('stopped')
    expect(calls).toHaveLength(1)
  })
})

describe('countInterleaved', () => {
  it('makes as many calls as it says, and as many at once as there are connections', async () => {
    let underWay = 0
    let most = 0
    let made = 0
    const call = async () => {
      made++
      most = Math.max(most, ++underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
    }
    const rates = await countInterleaved({ call }, { rounds: 2, callsPerRound: 10, connections: 4 })
    expect({ made, most, rounds: rates.call.length }).toEqual({ made: 20, most: 4, rounds: 2 })
  })
})
