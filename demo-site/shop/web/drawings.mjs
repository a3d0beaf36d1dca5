// Product pictures and the sale banner, as SVG made from a product's kind and hue.
const SHAPES = {
  lamp: (dark, light) => `<path d="M200 0v92" stroke="${dark}" stroke-width="4"/><path d="M140 190c0-58 24-98 60-98s60 40 60 98z" fill="${dark}"/>
    <path d="M140 190h120l70 160H70z" fill="${light}" opacity=".55"/><ellipse cx="200" cy="191" rx="60" ry="9" fill="${light}"/>`,
  chair: (dark, light) => `<rect x="128" y="84" width="144" height="130" rx="34" fill="${dark}"/><rect x="106" y="190" width="188" height="54" rx="24" fill="${light}"/>
    <path d="M128 244l-18 86M272 244l18 86M160 244v74M240 244v74" stroke="${dark}" stroke-width="9" stroke-linecap="round"/>`,
  vase: (dark, light) => `<path d="M176 110h48v34c0 22 44 44 44 104 0 52-30 84-68 84s-68-32-68-84c0-60 44-82 44-104z" fill="${dark}"/>
    <path d="M176 110h48v12h-48z" fill="${light}"/><path d="M200 110c-6-40-34-58-58-62 2 32 22 54 58 62zm4 0c2-46 26-70 56-76 0 40-18 66-56 76z" fill="${light}"/>`,
};

export function productDrawing({ kind, hue }) {
  const dark = `hsl(${hue} 38% 34%)`, light = `hsl(${(hue + 28) % 360} 72% 74%)`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400">
  <defs><linearGradient id="g" x2="0" y2="1"><stop stop-color="hsl(${hue} 44% 95%)"/><stop offset="1" stop-color="hsl(${hue} 36% 86%)"/></linearGradient></defs>
  <rect width="400" height="400" fill="url(#g)"/><ellipse cx="200" cy="346" rx="120" ry="14" fill="hsl(${hue} 26% 70%)" opacity=".5"/>
  ${SHAPES[kind](dark, light)}</svg>`;
}

export const BANNER_DRAWING = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 150" width="1200" height="150">
  <defs><linearGradient id="b"><stop stop-color="#e8744c"/><stop offset="1" stop-color="#c2456b"/></linearGradient></defs>
  <rect width="1200" height="150" rx="14" fill="url(#b)"/><g fill="#fff" opacity=".16"><circle cx="1080" cy="30" r="110"/><circle cx="950" cy="160" r="80"/></g>
  <text x="48" y="72" font-family="DejaVu Sans, sans-serif" font-size="38" font-weight="bold" fill="#fff">Flash sale</text>
  <text x="48" y="112" font-family="DejaVu Sans, sans-serif" font-size="22" fill="#fff">Few pieces, large discounts, no second chances.</text></svg>`;

export const LOGO_DRAWING = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="32" height="32"><circle cx="16" cy="16" r="16" fill="#22264b"/>
  <path d="M16 5l3.1 7.9L27 16l-7.9 3.1L16 27l-3.1-7.9L5 16l7.9-3.1z" fill="#fccc88"/></svg>`;
