/** Starlings in flight: each keeps near its neighbours, flies as they fly, and heads for a wandering point. */
import { useElementSize, usePreferredReducedMotion, useRafFn } from '@vueuse/core'
import { type ShallowRef, watch } from 'vue'

interface Bird {
  x: number
  y: number
  vx: number
  vy: number
  size: number
}

const BIRDS = 260
/** Birds look at so many of the flock, a few other ones each time: it looks the same and costs a tenth. */
const NEIGHBOURS = 14
const SPEED = 1.7
const REACH = 110

export function useMurmuration(canvas: Readonly<ShallowRef<HTMLCanvasElement | null>>): void {
  const { width, height } = useElementSize(canvas)
  const motion = usePreferredReducedMotion()
  let birds: Bird[] = []
  let time = Math.random() * 1000

  function gather(): void {
    const [x, y] = goal()
    birds = Array.from({ length: BIRDS }, () => ({
      x: x + (Math.random() - 0.5) * width.value * 0.5,
      y: y + (Math.random() - 0.5) * height.value * 0.35,
      vx: Math.random() - 0.5,
      vy: Math.random() - 0.5,
      size: 0.8 + Math.random() * 1.1,
    }))
  }

  /** A slow figure over the page that never quite repeats. */
  const goal = (): [number, number] => [
    width.value * (0.5 + 0.38 * Math.sin(time * 0.11) + 0.08 * Math.sin(time * 0.37)),
    height.value * (0.42 + 0.26 * Math.sin(time * 0.17 + 1) + 0.08 * Math.cos(time * 0.29)),
  ]

  function steer(bird: Bird, at: number, goalX: number, goalY: number): void {
    for (let n = 1; n <= NEIGHBOURS; n++) {
      const other = birds[(at + n * 7 + Math.floor(time * 60)) % BIRDS]!
      const dx = other.x - bird.x
      const dy = other.y - bird.y
      const distance = Math.hypot(dx, dy)
      if (distance === 0 || distance > REACH) continue
      const pull = distance < 12 ? -0.06 : 0.006
      bird.vx += (dx / distance) * pull + (other.vx - bird.vx) * 0.012
      bird.vy += (dy / distance) * pull + (other.vy - bird.vy) * 0.012
    }
    bird.vx += (goalX - bird.x) * 0.0003
    bird.vy += (goalY - bird.y) * 0.0004
    const speed = Math.hypot(bird.vx, bird.vy) || 1
    const wanted = SPEED * (0.75 + bird.size * 0.2)
    bird.vx *= 1 + (wanted / speed - 1) * 0.06
    bird.vy *= 1 + (wanted / speed - 1) * 0.06
    bird.x += bird.vx
    bird.y += bird.vy
  }

  function draw(context: CanvasRenderingContext2D, color: string): void {
    context.clearRect(0, 0, width.value, height.value)
    context.fillStyle = color
    for (const { x, y, vx, vy, size } of birds) {
      const turn = Math.atan2(vy, vx)
      const [cos, sin] = [Math.cos(turn) * size, Math.sin(turn) * size]
      context.globalAlpha = 0.16 + size * 0.16
      context.beginPath()
      context.moveTo(x + cos * 3.2, y + sin * 3.2)
      context.lineTo(x - cos * 2 - sin * 1.5, y - sin * 2 + cos * 1.5)
      context.lineTo(x - cos * 1.1, y - sin * 1.1)
      context.lineTo(x - cos * 2 + sin * 1.5, y - sin * 2 - cos * 1.5)
      context.fill()
    }
  }

  function frame(): void {
    const element = canvas.value
    const context = element?.getContext('2d')
    if (!element || !context) return
    time += 1 / 60
    const [x, y] = goal()
    for (const [at, bird] of birds.entries()) steer(bird, at, x, y)
    draw(context, getComputedStyle(element).color)
  }

  const { pause, resume } = useRafFn(frame, { immediate: false, fpsLimit: 40 })

  watch([width, height, motion], () => {
    const element = canvas.value
    if (!element || width.value === 0) return
    const density = Math.min(2, devicePixelRatio)
    element.width = width.value * density
    element.height = height.value * density
    element.getContext('2d')?.scale(density, density)
    if (birds.length === 0) gather()
    frame()
    if (motion.value === 'reduce') pause()
    else resume()
  })
}
