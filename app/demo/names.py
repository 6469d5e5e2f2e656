"""Names for people who do not exist, by the language they text in."""

GIVEN = {
    "en": (
        "Aaron", "Abigail", "Adele", "Agnes", "Albert", "Alice", "Amos", "Andrea", "Arlene", "Arthur", "Audrey",
        "Beatrice", "Bernard", "Bonnie", "Brandon", "Bridget", "Calvin", "Caroline", "Cedric", "Charlotte", "Clara",
        "Clifford", "Colleen", "Conrad", "Cynthia", "Dale", "Daphne", "Darlene", "Deborah", "Desmond", "Doris",
        "Dorothy", "Dwight", "Edith", "Edmund", "Eileen", "Eleanor", "Elliot", "Elsie", "Ernest", "Esther", "Eugene",
        "Evelyn", "Felicity", "Florence", "Floyd", "Frances", "Franklin", "Frederick", "Geraldine", "Gilbert",
        "Gladys", "Glenn", "Gordon", "Greta", "Harold", "Harriet", "Harvey", "Hattie", "Hazel", "Helen", "Herbert",
        "Homer", "Horace", "Ida", "Imogen", "Irene", "Irving", "Isabel", "Ivan", "Jasmine", "Jerome", "Joanne",
        "Josephine", "Joyce", "Juanita", "Judith", "Julian", "Kathleen", "Kenneth", "Kirk", "Lamar", "Laurel",
        "Lawrence", "Leona", "Leonard", "Leroy", "Lillian", "Lionel", "Lloyd", "Lorraine", "Lucille", "Luther",
        "Mabel", "Marcus", "Margaret", "Marjorie", "Martha", "Marvin", "Maurice", "Mildred", "Milton", "Miriam",
        "Myrtle", "Nadine", "Naomi", "Nelson", "Nora", "Norman", "Olive", "Opal", "Orville", "Otis", "Pamela",
        "Patrick", "Paula", "Percy", "Phyllis", "Ralph", "Raymond", "Regina", "Roland", "Rosemary", "Roy", "Russell",
        "Ruth", "Selma", "Sheila", "Sidney", "Stanley", "Sylvia", "Thelma", "Theodora", "Travis", "Valerie", "Vera",
        "Vernon", "Viola", "Virgil", "Wallace", "Wanda", "Warren", "Wesley", "Wilbur", "Wilma", "Winifred", "Yolanda",
    ),
    "es": (
        "Adela", "Adrián", "Alba", "Alejandra", "Alfonso", "Amalia", "Anselmo", "Araceli", "Armando", "Aurora",
        "Beatriz", "Benito", "Camila", "Carmen", "Catalina", "Cecilia", "César", "Consuelo", "Cristina", "Dolores",
        "Eduardo", "Elena", "Emilia", "Emilio", "Enrique", "Esperanza", "Esteban", "Eugenia", "Fabiola", "Federico",
        "Felipe", "Fermín", "Gabriela", "Gonzalo", "Graciela", "Guadalupe", "Guillermo", "Hernán", "Hortensia",
        "Ignacio", "Inés", "Irma", "Isidro", "Jacinto", "Javier", "Jimena", "Joaquín", "Josefina", "Julieta",
        "Leonor", "Leticia", "Lorenzo", "Lourdes", "Lucía", "Luisa", "Magdalena", "Manuela", "Marcelo", "Maribel",
        "Marisol", "Mauricio", "Mercedes", "Miguel", "Nicolás", "Noemí", "Octavio", "Olga", "Paloma", "Patricia",
        "Pilar", "Rafael", "Ramiro", "Raquel", "Ricardo", "Rocío", "Rodrigo", "Rogelio", "Rosario", "Salvador",
        "Silvia", "Soledad", "Susana", "Teresa", "Tomás", "Verónica", "Vicente", "Victoria", "Ximena", "Yolanda",
    ),
}  # fmt: skip
FAMILY = {
    "en": (
        "Abbott", "Ainsley", "Aldridge", "Appleton", "Ashworth", "Atwater", "Bainbridge", "Barlow", "Beckwith",
        "Birchall", "Blackwood", "Bradshaw", "Brightman", "Buckley", "Burdett", "Calloway", "Carlisle", "Chadwick",
        "Claybourne", "Coldwell", "Copeland", "Crabtree", "Cromwell", "Dalrymple", "Danforth", "Davenport", "Denholm",
        "Drayton", "Dunleavy", "Eastwood", "Eckhart", "Ellsworth", "Fairbanks", "Farnsworth", "Fenwick", "Fitzroy",
        "Galbraith", "Garrison", "Goodwin", "Greenleaf", "Grimshaw", "Hadley", "Halloran", "Hargrove", "Hathaway",
        "Haverford", "Hawthorne", "Holbrook", "Huxtable", "Ingersoll", "Jernigan", "Kettering", "Kilbride", "Kirkland",
        "Lancaster", "Langley", "Latimer", "Lockwood", "Lyndon", "Maitland", "Marchand", "Mayhew", "McAllister",
        "McKinnon", "Merriweather", "Middleton", "Moffat", "Montague", "Norwood", "Oakley", "Oldham", "Ormsby",
        "Paddock", "Pemberton", "Pettigrew", "Prescott", "Quimby", "Radcliffe", "Ramsbottom", "Redfern", "Ridgeway",
        "Rockwell", "Rutherford", "Sedgwick", "Shackleton", "Sheffield", "Sinclair", "Stanhope", "Sutherland",
        "Thackeray", "Thornbury", "Tillotson", "Townsend", "Underhill", "Vandermeer", "Wainwright", "Wakefield",
        "Walpole", "Weatherby", "Wentworth", "Whitcomb", "Winslow", "Woodruff", "Yarborough", "Yeats",
    ),
    "es": (
        "Aguilar", "Alarcón", "Arroyo", "Ávila", "Barrera", "Benítez", "Cabrera", "Calderón", "Camacho", "Cárdenas",
        "Castañeda", "Cervantes", "Cisneros", "Contreras", "Cordero", "Delgado", "Domínguez", "Escobedo", "Espinoza",
        "Fuentes", "Gallegos", "Galindo", "Guerrero", "Herrera", "Ibarra", "Jiménez", "Lozano", "Maldonado",
        "Marroquín", "Medina", "Mejía", "Mendoza", "Montoya", "Navarro", "Nevárez", "Ochoa", "Orozco", "Pacheco",
        "Paredes", "Quintero", "Rentería", "Ríos", "Robledo", "Rosales", "Salazar", "Sandoval", "Serrano", "Solís",
        "Tapia", "Trujillo", "Urbina", "Valdez", "Vallejo", "Velasco", "Villalobos", "Zamora", "Zepeda", "Zúñiga",
    ),
}  # fmt: skip
STAFF = ("Bettina Krause, RN", "Carlos Medrano, RN", "Deirdre Ahlgren, RN", "Elif Sancak, RN", "Femi Adeyemo, RN")

# What nurses leave for the next shift.
NOTES = (
    "Called back, no answer. Will try again after lunch.",
    "Daughter drives him: mornings are best for a visit.",
    "Voicemail left. Please look at this one first tomorrow.",
    "Spoke with the patient; wants the next visit before the holidays.",
    "Waiting for the clinic's own record of the last refill.",
    "Prefers Spanish on the phone as well.",
    "Transport is arranged through the county; needs two days' notice.",
)
