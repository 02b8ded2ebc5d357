module.exports = () => "words " + require("ms")(1000);
