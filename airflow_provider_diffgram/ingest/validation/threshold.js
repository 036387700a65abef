(() => {
  const section = document.querySelector('.threshold'), range = section.querySelector('input');
  const bins = JSON.parse(range.dataset.bins), outputs = section.querySelectorAll('output');
  const show = () => {
    const least = Number(range.value);
    const left = bins.slice(Math.round(least * bins.length)).reduce((sum, count) => sum + count, 0);
    outputs[0].textContent = least.toFixed(2);
    outputs[1].textContent = left.toLocaleString('en');
    for (const shape of document.querySelectorAll('g[data-score]'))
      shape.classList.toggle('below', Number(shape.dataset.score) < least);
  };
  range.addEventListener('input', show);
  section.hidden = false;
  show();
})();
