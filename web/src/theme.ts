/** The palette of `styles/tokens.css` for Naive UI, which computes shades and so needs plain colours. */
import type { GlobalThemeOverrides } from 'naive-ui'

const common = {
  fontFamily: 'var(--font)',
  fontSize: '15px',
  fontSizeMedium: '15px',
  fontSizeLarge: '16px',
  borderRadius: '10px',
  borderRadiusSmall: '8px',
  heightMedium: '38px',
  heightLarge: '44px',
}

const parts = {
  Dialog: { borderRadius: '20px', titleFontSize: '17px', titleFontWeight: '650', padding: '22px 24px' },
  Card: { titleFontSizeMedium: '17px', titleFontWeight: '650' },
} satisfies GlobalThemeOverrides

export const lightOverrides: GlobalThemeOverrides = {
  ...parts,
  common: {
    ...common,
    primaryColor: '#4c3fd1',
    primaryColorHover: '#6257e0',
    primaryColorPressed: '#3f33b8',
    primaryColorSuppl: '#6257e0',
    errorColor: '#c2263f',
    errorColorHover: '#d5405a',
    errorColorPressed: '#a51d34',
    textColorBase: '#171b30',
    textColor2: '#171b30',
    placeholderColor: '#5f6788',
    borderColor: '#cfd4e6',
    bodyColor: '#eef0f7',
    modalColor: '#ffffff',
  },
}

export const darkOverrides: GlobalThemeOverrides = {
  ...parts,
  common: {
    ...common,
    primaryColor: '#9b90ff',
    primaryColorHover: '#b4abff',
    primaryColorPressed: '#8579f5',
    primaryColorSuppl: '#8579f5',
    errorColor: '#ff8095',
    errorColorHover: '#ff9bac',
    errorColorPressed: '#f0667d',
    textColorBase: '#e9ebf8',
    textColor2: '#e9ebf8',
    placeholderColor: '#8b93b5',
    borderColor: '#333b60',
    inputColor: '#1a1f38',
    bodyColor: '#0b0e1c',
    modalColor: '#161b33',
    popoverColor: '#1d2341',
  },
}
